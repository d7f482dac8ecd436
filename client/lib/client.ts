/** The typed client: calls over HTTP, subscriptions over WebSocket or SSE, and one word about the connection. */
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCClient,
  wsLink,
} from "@trpc/client";
import superjson from "superjson";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { type ConnectionStore, createConnectionStore } from "./connection.ts";

export interface JobwireClient {
  trpc: TRPCClient<AppRouter>;
  connection: ConnectionStore;
  close(): void;
}

export interface JobwireClientOptions {
  /** Of the server: `http://localhost:8000`. */
  url: string;
  transport?: "ws" | "sse";
  /** Sent with every call and connection, for servers that want one. */
  token?: string;
}

/** A server that was restarted is back soon; one that is gone for long is not asked more often than this. */
const MAX_RETRY_MS = 5000;
const PING_MS = 15_000;
const PONG_MS = 5000;

export function createJobwireClient(options: JobwireClientOptions): JobwireClient {
  const { url, transport = "ws", token } = options;
  const connection = createConnectionStore();
  const http = `${url}/trpc`;
  const calls = httpBatchLink({
    url: http,
    transformer: superjson,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const credentials = token === undefined ? {} : { connectionParams: async () => ({ token }) };

  if (transport === "sse") {
    const events = httpSubscriptionLink({ url: http, transformer: superjson, ...credentials });
    return {
      trpc: createTRPCClient<AppRouter>({ links: [bySubscription(events, calls)] }),
      connection,
      close() {},
    };
  }

  const socket = createWSClient({
    url: http.replace(/^http/, "ws"),
    retryDelayMs: (attempt) => Math.min(100 * 2 ** attempt, MAX_RETRY_MS),
    keepAlive: { enabled: true, intervalMs: PING_MS, pongTimeoutMs: PONG_MS },
    ...credentials,
  });
  socket.connectionState.subscribe({
    next: ({ state }) => connection.signal(state === "pending" ? "open" : "lost"),
  });
  const events = wsLink({ client: socket, transformer: superjson });
  return {
    trpc: createTRPCClient<AppRouter>({ links: [bySubscription(events, calls)] }),
    connection,
    close: () => void socket.close(),
  };
}

type Link = ReturnType<typeof httpBatchLink<AppRouter>>;

function bySubscription(events: Link, calls: Link): Link {
  return splitLink({
    condition: ({ type }) => type === "subscription",
    true: events,
    false: calls,
  });
}
