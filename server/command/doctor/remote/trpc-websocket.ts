/** Does tRPC's WebSocket get through, also from a page of the server's own origin? */
import { messageOf } from "#shared/errors.ts";
import { type Advice, fail, type Finding, ok } from "#shared/finding.ts";
import { type Opened, openWebSocket } from "./open-websocket.ts";
import { isAboutCredentials, refusalBy } from "./refusal.ts";
import type { Target } from "./target.ts";
import { infoOf, parsed, type SystemAnswer } from "./trpc-answer.ts";

const NAME = "websocket trpc";

export async function checkTrpcWebSocket(target: Target, signal: AbortSignal): Promise<Finding[]> {
  const opened = await openWebSocket(target, trpcPath(target), { signal });
  if ("why" in opened) return [fail(NAME, opened.why, opened.advice)];
  try {
    const call = await callOver(opened, target.token);
    return [foundBy(call, target.token), await ownOrigin(target, signal)];
  } catch (error) {
    return [
      fail(NAME, `opens, and no answer comes: ${messageOf(error)}`, [
        "Something on the way accepts the upgrade and passes no messages on.",
        "docs/troubleshooting.md#websocket-connection-failed",
      ]),
    ];
  } finally {
    opened.socket.terminate();
  }
}

/** With a token, the first message brings it. */
export function trpcPath({ token }: Pick<Target, "token">): string {
  return token === undefined ? "/trpc" : "/trpc?connectionParams=1";
}

/** Rejects when the socket closes without an answer. */
export async function callOver(
  { socket, messages }: Opened,
  token: string | undefined,
): Promise<{ answer: SystemAnswer | undefined; ms: number }> {
  const sent = performance.now();
  if (token !== undefined) {
    socket.send(JSON.stringify({ method: "connectionParams", data: { token } }));
  }
  socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "system.info" } }));
  for (;;) {
    const text = await messages.next();
    if (text === "PING") socket.send("PONG");
    else return { answer: infoOf(parsed(text)), ms: performance.now() - sent };
  }
}

/** Messages of a WebSocket pass a proxy unread. */
const OF_TOKEN: Advice = [
  "Check JOBWIRE_TOKEN: its end, its issuer and its audience.",
  "docs/authenticate.md#what-a-caller-receives",
];

function foundBy(
  { answer, ms }: { answer: SystemAnswer | undefined; ms: number },
  token: string | undefined,
): Finding {
  const time = `${Math.ceil(ms)} ms`;
  if (answer === undefined) {
    return fail(NAME, "opens, and something other than Jobwire answers", [
      "The path /trpc leads to another program.",
      "docs/troubleshooting.md#websocket-connection-failed",
    ]);
  }
  if ("version" in answer) return ok(NAME, `opens, and a call takes ${time}`);
  if (token === undefined && isAboutCredentials(answer)) {
    return ok(NAME, `opens, and asks for a sign-in after ${time}`);
  }
  const { found, advice } = refusalBy(answer, OF_TOKEN);
  return fail(NAME, `opens, and ${found}`, advice);
}

/** Browsers send the origin of the page. A proxy that replaces `Host` makes it a foreign one. */
async function ownOrigin(target: Target, signal: AbortSignal): Promise<Finding> {
  const name = "websocket from the own page";
  const { origin } = target.url;
  const opened = await openWebSocket(target, "/trpc", { signal, headers: { origin } });
  if ("socket" in opened) {
    opened.socket.terminate();
    return ok(name, `opens for a page of ${origin}`);
  }
  if (!opened.isOrigin) return fail(name, opened.why, opened.advice);
  return fail(name, opened.why, [
    `The proxy sends another Host than ${target.url.host}. nginx: proxy_set_header Host $http_host; or list ${origin} in FRONTEND_URL.`,
    "docs/troubleshooting.md#403-and-an-origin",
  ]);
}
