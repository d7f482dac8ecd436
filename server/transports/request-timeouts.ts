/** How long a request may take to arrive: a slow sender gets 408, and holds a connection and what it sent no longer. */
import type { ServerOptions } from "node:http";

const MAX_HEADERS_MS = 60_000;
const MAX_LOOK_MS = 5000;

/** Options of `createServer`. Node looks at its connections in intervals, so that it may be a quarter later. */
export function requestTimeouts(ms: number) {
  return {
    requestTimeout: ms,
    headersTimeout: Math.min(ms, MAX_HEADERS_MS),
    connectionsCheckingInterval: Math.min(ms / 4, MAX_LOOK_MS),
  } satisfies ServerOptions;
}
