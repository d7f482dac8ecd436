/**
 * CORS headers for pages of listed origins. As in the older system, pages may send any headers and credentials:
 * `origins.ts` decides access by the origin, and these headers only report the decision to the browser.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

const ALLOWED_METHODS = "GET, POST, DELETE, OPTIONS";
/** For a preflight that requests no headers: a cache may reuse the answer for a later request with headers. */
const USUAL_HEADERS =
  "authorization, content-type, idempotency-key, last-event-id, trpc-accept, x-trpc-source";
const MAX_AGE_S = "600";

/** `credentials`: the page may send cookies, and read the answers to requests with cookies. */
export function allowOrigin(
  { headers: { origin = "" } }: IncomingMessage,
  res: ServerResponse,
  { credentials }: { credentials: boolean },
): void {
  res.setHeader("Access-Control-Allow-Origin", origin);
  if (credentials) res.setHeader("Access-Control-Allow-Credentials", "true");
}

/** Allows every requested header. A wildcard covers neither `authorization` nor requests with credentials. */
export function answerPreflight({ headers }: IncomingMessage, res: ServerResponse): void {
  res.appendHeader("Vary", "Access-Control-Request-Headers");
  res.writeHead(204, {
    "Access-Control-Allow-Methods": ALLOWED_METHODS,
    "Access-Control-Allow-Headers": headers["access-control-request-headers"] || USUAL_HEADERS,
    "Access-Control-Max-Age": MAX_AGE_S,
  });
  res.end();
}
