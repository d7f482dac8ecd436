/** Bounds the time in which a request must arrive. A slow sender gets 408 and loses its connection. */
import type { ServerOptions } from "node:http";

const MAX_HEADERS_MS = 60_000;
const MAX_LOOK_MS = 5000;

/** Returns options of `createServer`. Node checks its connections at intervals, so the timeout may fire a quarter later. */
export function requestTimeouts(ms: number) {
  return {
    requestTimeout: ms,
    headersTimeout: Math.min(ms, MAX_HEADERS_MS),
    connectionsCheckingInterval: Math.min(ms / 4, MAX_LOOK_MS),
  } satisfies ServerOptions;
}
