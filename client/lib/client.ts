/** The typed client: calls over HTTP, subscriptions over WebSocket or SSE, and the state of the connection. */
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpSubscriptionLink,
  retryLink,
  splitLink,
  type TRPCClient,
  TRPCClientError,
  type TRPCLink,
  wsLink,
} from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { type ErrorCode, messageOf } from "#shared/errors.ts";
import { type ConnectionStore, createConnectionStore } from "./connection.ts";
import { FastClosingSocket } from "./fast-closing-socket.ts";
import { signInLink, type WaitForSignIn } from "./sign-in-link.ts";
import { transformer } from "./transformer.ts";

export interface JobwireClient {
  trpc: TRPCClient<AppRouter>;
  connection: ConnectionStore;
  /** Follows `system.onState`, until the returned function is called. */
  follow(): () => void;
  close(): void;
}

export interface JobwireClientOptions {
  /** The server's URL: `http://localhost:8000`. */
  url: string;
  transport?: "ws" | "sse";
  /** Sent with every call and connection, for servers with authentication. */
  token?: string;
  /** Called when the server refuses a call or a subscription because the caller is not signed in. Absent: they fail. */
  waitForSignIn?: WaitForSignIn;
}

/** Upper bound of the backoff. */
const MAX_RETRY_MS = 5000;
const PING_MS = 15_000;
const PONG_MS = 5000;

export function createJobwireClient(options: JobwireClientOptions): JobwireClient {
  const { url, transport = "ws", token, waitForSignIn } = options;
  const connection = createConnectionStore();
  const http = `${url}/trpc`;
  const calls = httpBatchLink({
    url: http,
    transformer,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const held = waitForSignIn === undefined ? [] : [signInLink(waitForSignIn)];
  const credentials = token === undefined ? {} : { connectionParams: async () => ({ token }) };

  if (transport === "sse") {
    const events = httpSubscriptionLink({ url: http, transformer, ...credentials });
    const trpc = createTRPCClient<AppRouter>({
      links: [
        bySubscription([tellConnection(connection), again(), ...held, events], [...held, calls]),
      ],
    });
    return { trpc, connection, follow: () => follow(trpc, connection), close() {} };
  }

  const socket = createWSClient({
    url: http.replace(/^http/, "ws"),
    WebSocket: FastClosingSocket,
    retryDelayMs: (attempt) => Math.min(100 * 2 ** attempt, MAX_RETRY_MS),
    keepAlive: { enabled: true, intervalMs: PING_MS, pongTimeoutMs: PONG_MS },
    ...credentials,
  });
  socket.connectionState.subscribe({
    // tRPC's states: `pending` is an open connection, `idle` is none because none is needed.
    next({ state }) {
      if (state !== "idle") connection.signal(state === "pending" ? "open" : "lost");
    },
  });
  const events = wsLink({ client: socket, transformer });
  const trpc = createTRPCClient<AppRouter>({
    links: [bySubscription([again(), ...held, events], [...held, calls])],
  });
  return {
    trpc,
    connection,
    follow: () => follow(trpc, connection),
    close: () => void socket.close(),
  };
}

function follow(trpc: TRPCClient<AppRouter>, connection: ConnectionStore): () => void {
  const state = trpc.system.onState.subscribe(undefined, {
    onData: ({ stale }) => connection.reached(!stale),
  });
  return () => state.unsubscribe();
}

type Link = TRPCLink<AppRouter>;

function bySubscription(events: Link[], calls: Link[]): Link {
  return splitLink({
    condition: ({ type }) => type === "subscription",
    true: events,
    false: calls,
  });
}

/** True where a retry cannot help: the server answered, and not with `UNAVAILABLE` or `INTERNAL`. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return false;
  const { data } = error as TRPCClientError<AppRouter>;
  return data != null && data.appCode !== "UNAVAILABLE" && data.appCode !== "INTERNAL";
}

/** A failed request. `code` is `undefined` where the server gave no answer. */
export interface Failed {
  code: ErrorCode | undefined;
  message: string;
}

export function failureOf(error: unknown): Failed {
  const message = messageOf(error);
  if (!(error instanceof TRPCClientError)) return { code: undefined, message };
  const { data } = error as TRPCClientError<AppRouter>;
  return { code: data?.appCode, message };
}

/** Reopens subscriptions that the server ended with `UNAVAILABLE` or `INTERNAL`; they resume from their cursor. */
function again(): Link {
  return retryLink({
    retry: ({ error }) => !isFinal(error),
    retryDelayMs: (attempt) => Math.min(500 * 2 ** attempt, MAX_RETRY_MS),
  });
}

/** SSE has no shared connection: each subscription has its own state, and the client is stale once one of them is lost. */
function tellConnection(connection: ConnectionStore): Link {
  const open = new Set<symbol>();
  const lost = new Set<symbol>();
  const tellAll = () => {
    if (lost.size > 0) connection.signal("lost");
    else if (open.size > 0) connection.signal("open");
  };
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        const id = Symbol(op.path);
        const forget = () => {
          open.delete(id);
          lost.delete(id);
          tellAll();
        };
        const subscription = next(op).subscribe({
          next(value) {
            const { result } = value;
            if (result.type === "state" && result.state === "pending") {
              lost.delete(id);
              open.add(id);
              tellAll();
            } else if (
              result.type === "state" &&
              result.state === "connecting" &&
              open.delete(id)
            ) {
              // The first `connecting` is not a lost connection.
              lost.add(id);
              tellAll();
            }
            observer.next(value);
          },
          error(error) {
            forget();
            observer.error(error);
          },
          complete() {
            forget();
            observer.complete();
          },
        });
        return () => {
          subscription.unsubscribe();
          forget();
        };
      });
}
