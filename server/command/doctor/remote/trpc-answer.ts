/** Tells an answer of Jobwire's tRPC from one of a proxy or another program. */
import type { Answer } from "./ask.ts";

/** `code`: the server refused the call, as Jobwire does: `UNAUTHENTICATED`. */
export type SystemAnswer = { version: string; engine: string } | { code: string; message: string };

/** The answer to `system.info`. `undefined`: it is none of Jobwire's. */
export function infoIn({ body }: Pick<Answer, "body">): SystemAnswer | undefined {
  return infoOf(parsed(body));
}

/** `json`: the body of an answer over HTTP, or the message of a WebSocket. */
export function infoOf(json: unknown): SystemAnswer | undefined {
  const info = at(json, "result", "data", "json");
  const version = at(info, "version");
  const engine = at(info, "engine");
  if (typeof version === "string" && typeof engine === "string") return { version, engine };
  const error = at(json, "error", "json");
  const message = at(error, "message");
  const code = at(error, "data", "appCode") ?? at(error, "data", "code");
  return typeof message === "string" && typeof code === "string" ? { code, message } : undefined;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}
