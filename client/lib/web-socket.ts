/** The WebSocket of a client. The first subscription opens it, so a client on a server that renders pages opens none. */
import { createWSClient, type TRPCLink, type WebSocketClientOptions } from "@trpc/client";
import type { ApiRouter } from "#shared/api.ts";
import { FastClosingSocket } from "./fast-closing-socket.ts";

/** Upper bound of the backoff. */
const MAX_RETRY_MS = 5000;
const PING_MS = 15_000;
const PONG_MS = 5000;

export type WebSocketClient = ReturnType<typeof createWSClient>;

export function openSocket({
  onState,
  ...options
}: Pick<WebSocketClientOptions, "url" | "connectionParams" | "experimental_encoder"> & {
  /** Called with `false` while a connection is made, or made again. */
  onState(isOpen: boolean): void;
}): WebSocketClient {
  const socket = createWSClient({
    WebSocket: FastClosingSocket,
    retryDelayMs: (attempt) => Math.min(100 * 2 ** attempt, MAX_RETRY_MS),
    keepAlive: { enabled: true, intervalMs: PING_MS, pongTimeoutMs: PONG_MS },
    ...options,
  });
  socket.connectionState.subscribe({
    // tRPC's states: `pending` is an open connection, `idle` is none because none is needed.
    next({ state }) {
      if (state !== "idle") onState(state === "pending");
    },
  });
  return socket;
}

/** Creates the link with the first operation. */
export function onFirstUse(create: () => TRPCLink<ApiRouter>): TRPCLink<ApiRouter> {
  return (runtime) => {
    let link: ReturnType<TRPCLink<ApiRouter>> | undefined;
    return (operation) => (link ??= create()(runtime))(operation);
  };
}
