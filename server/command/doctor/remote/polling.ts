/** Polling of Socket.IO: every request must reach the server that has the session. */
import { type Advice, fail, type Finding, ok } from "#shared/finding.ts";
import { ask } from "./ask.ts";
import { adviceOn } from "./refusal.ts";
import { connectPacket } from "./socketio-packets.ts";
import type { Target } from "./target.ts";
import { at, parsed } from "./trpc-answer.ts";

const NAME = "polling";
const PATH = "/socket.io/?EIO=4&transport=polling";
/** Each makes three requests: a proxy that chooses at random between two servers errs in one of four. */
const SESSIONS = 4;
/** Packets of one polling body are separated by this character. */
const SEPARATOR = "\x1e";

export async function checkPolling(target: Target, signal: AbortSignal): Promise<Finding> {
  const seen = new Set<string>();
  for (let count = 1; count <= SESSIONS; count += 1) {
    const finding = await trySession(target, seen, signal);
    if (finding !== undefined) return finding;
  }
  return ok(NAME, `${SESSIONS} sessions of three requests each reached their servers`);
}

const CACHED: Advice = [
  "A cache answers in place of the server. Let it pass /socket.io/ on, uncached.",
  "docs/cdn.md#caching",
];

/** `seen`: the ids of the sessions before. Resolves to `undefined` if all is well. */
async function trySession(
  target: Target,
  seen: Set<string>,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const opened = await ask(target, PATH, { signal });
  const sid = at(parsed(opened.body.slice(1)), "sid");
  if (opened.status !== 200 || typeof sid !== "string") {
    const advice = [
      "Let the proxy pass /socket.io/ on with its query.",
      "docs/troubleshooting.md#websocket-connection-failed",
    ] as const;
    const found = `answered ${opened.status}: ${opened.body.slice(0, 200)}`;
    return fail(NAME, found, adviceOn(opened, advice));
  }
  if (seen.has(sid)) return fail(NAME, "two sessions were answered with the same id", CACHED);
  seen.add(sid);
  const path = `${PATH}&sid=${encodeURIComponent(sid)}`;
  const send = (body: string) =>
    ask(target, path, {
      signal,
      method: "POST",
      headers: { "content-type": "text/plain;charset=UTF-8" },
      body,
    });
  const posted = await send(connectPacket(target.token));
  if (posted.status !== 200) return lost(posted);
  const polled = await ask(target, path, { signal });
  if (polled.status !== 200) return lost(polled);
  const [packet = ""] = polled.body.split(SEPARATOR);
  if (!packet.startsWith("4")) {
    return fail(NAME, `no answer of the session came: ${polled.body.slice(0, 100)}`, CACHED);
  }
  // A server that refused the connection has ended the session already.
  await send("1").catch(() => undefined);
  return undefined;
}

/** Engine.IO's code for a session that it does not know. */
const UNKNOWN_SESSION = 1;

function lost({ status, body }: { status: number; body: string }): Finding {
  if (at(parsed(body), "code") === UNKNOWN_SESSION) {
    return fail(NAME, "a request of a session reached a server that does not know it", [
      "Send the requests of a session to one server, by the name at the beginning of sid (NODE_NAME): deploy/haproxy.cfg and deploy/nginx.conf do it.",
      "docs/scaling.md#the-proxy",
    ]);
  }
  const advice = [
    "Let the proxy pass POST on /socket.io/ on.",
    "docs/troubleshooting.md#frequent-disconnections",
  ] as const;
  const found = `a request of a session was answered ${status}: ${body.slice(0, 200)}`;
  return fail(NAME, found, adviceOn({ status, body }, advice));
}
