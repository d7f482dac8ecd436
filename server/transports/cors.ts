/**
 * CORS headers for pages of listed origins. Deployed pages send headers and credentials of their own choice, and the older
 * system let them: the origin decides who is let in, and these headers only tell the browser so.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

const ALLOWED_METHODS = "GET, POST, OPTIONS";
/** For a preflight that asks for none: caches may keep the answer for a later request that has some. */
const USUAL_HEADERS = "authorization, content-type, last-event-id, trpc-accept, x-trpc-source";
const MAX_AGE_S = "600";

/** `credentials`: the page may send cookies, and may read the answers to requests that have some. */
export function allowOrigin(
  { headers: { origin = "" } }: IncomingMessage,
  res: ServerResponse,
  { credentials }: { credentials: boolean },
): void {
  res.setHeader("Access-Control-Allow-Origin", origin);
  if (credentials) res.setHeader("Access-Control-Allow-Credentials", "true");
}

/** Allows each header that is asked for. A wildcard would not cover `authorization`, nor requests with credentials. */
export function answerPreflight({ headers }: IncomingMessage, res: ServerResponse): void {
  res.appendHeader("Vary", "Access-Control-Request-Headers");
  res.writeHead(204, {
    "Access-Control-Allow-Methods": ALLOWED_METHODS,
    "Access-Control-Allow-Headers": headers["access-control-request-headers"] || USUAL_HEADERS,
    "Access-Control-Max-Age": MAX_AGE_S,
  });
  res.end();
}
