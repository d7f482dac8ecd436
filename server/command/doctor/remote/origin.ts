/** May a page of another origin use the server? */
import { fail, type Finding, ok } from "#shared/finding.ts";
import { ask } from "./ask.ts";
import { openWebSocket } from "./open-websocket.ts";
import { adviceOn } from "./refusal.ts";
import type { Target } from "./target.ts";

const DOC = "docs/troubleshooting.md#403-and-an-origin";

export async function checkOrigin(
  target: Target,
  origin: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  return Promise.all([preflight(target, origin, signal), upgrade(target, origin, signal)]);
}

/** As browsers ask before a call with a token. */
async function preflight(target: Target, origin: string, signal: AbortSignal): Promise<Finding> {
  const name = "origin http";
  const { status, headers, body } = await ask(target, "/trpc/system.info", {
    signal,
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    },
  });
  const allowed = headers["access-control-allow-origin"];
  if (status >= 400 || allowed === undefined) {
    const list = [`List ${origin} in CORS_ORIGINS.`, DOC] as const;
    const found = `${origin} is refused (${status}): ${body.trim().slice(0, 200)}`;
    // A proxy that answers preflights itself has another status than one that passes them on.
    return fail(name, found, status === 403 ? list : adviceOn({ status, body }, list));
  }
  if (allowed !== origin) {
    return fail(name, `the answer allows ${allowed} in place of ${origin}`, [
      "Let the proxy leave the headers of CORS to the server, and cache no answer without Vary: Origin.",
      DOC,
    ]);
  }
  const cookies = headers["access-control-allow-credentials"] === "true";
  return ok(name, `pages of ${origin} may call${cookies ? ", also with the cookie" : ""}`);
}

async function upgrade(target: Target, origin: string, signal: AbortSignal): Promise<Finding> {
  const name = "origin websocket";
  const opened = await openWebSocket(target, "/trpc", { signal, headers: { origin } });
  if ("why" in opened) {
    const list = [`List ${origin} in CORS_ORIGINS.`, DOC] as const;
    return fail(name, opened.why, opened.isOrigin ? list : opened.advice);
  }
  opened.socket.terminate();
  return ok(name, `opens for pages of ${origin}`);
}
