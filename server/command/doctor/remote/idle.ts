/** How long a connection may live: holds a WebSocket and an event stream open, and sends nothing but answers to pings. */
import { messageOf } from "#shared/errors.ts";
import { type Advice, fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { openResponse } from "./ask.ts";
import { STREAM } from "./event-stream.ts";
import { openWebSocket } from "./open-websocket.ts";
import { authorization, type Target } from "./target.ts";
import { callOver, trpcPath } from "./trpc-websocket.ts";

const ADVICE: Advice = [
  "Raise the idle limit of the proxy (nginx: proxy_read_timeout; HAProxy: timeout tunnel), or set PING_INTERVAL_MS to half of it.",
  "docs/troubleshooting.md#frequent-disconnections",
];

const REFUSED = "is refused: set JOBWIRE_TOKEN to keep it open";

interface Held {
  /** `undefined`: it was still open at the end. */
  cutBy: string | undefined;
  heldMs: number;
  /** The longest time in which nothing came. */
  silenceMs: number;
}

/** `signal` ends the waiting early. */
export async function checkIdle(
  target: Target,
  holdMs: number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const [socket, stream] = await Promise.all([
    holdWebSocket(target, holdMs, signal),
    holdStream(target, holdMs, signal),
  ]);
  return [foundBy("idle websocket", socket, holdMs), foundBy("idle event stream", stream, holdMs)];
}

function foundBy(name: string, held: Held | string, holdMs: number): Finding {
  if (typeof held === "string") return skip(name, held);
  const { cutBy, heldMs, silenceMs } = held;
  const longest = `the longest silence was ${seconds(silenceMs)}`;
  if (cutBy !== undefined) {
    return fail(name, `was cut after ${seconds(heldMs)} (${cutBy}); ${longest}`, ADVICE);
  }
  if (silenceMs === heldMs && holdMs > PINGED_WITHIN_MS) {
    return warn(name, `held ${seconds(heldMs)}, and no ping of the server came through`, [
      "Something on the way holds messages back, or PING_INTERVAL_MS is longer than this.",
      "docs/troubleshooting.md#the-event-stream-is-buffered",
    ]);
  }
  return ok(name, `held ${seconds(heldMs)}; ${longest}`);
}

/** With the default of PING_INTERVAL_MS, a ping comes within this time. */
const PINGED_WITHIN_MS = 60_000;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/** Measures from its call. */
function stopwatch() {
  const begun = performance.now();
  let heard = begun;
  let silenceMs = 0;
  const hear = () => {
    const now = performance.now();
    silenceMs = Math.max(silenceMs, now - heard);
    heard = now;
  };
  return {
    hear,
    stop(cutBy?: string): Held {
      const isSilent = heard === begun;
      hear();
      const heldMs = heard - begun;
      return { cutBy, heldMs, silenceMs: isSilent ? heldMs : silenceMs };
    },
  };
}

async function holdWebSocket(
  target: Target,
  holdMs: number,
  signal: AbortSignal,
): Promise<Held | string> {
  const opened = await openWebSocket(target, trpcPath(target), { signal });
  if ("why" in opened) return `did not open: ${opened.why}`;
  const { socket } = opened;
  try {
    // The server closes a connection that does not sign in.
    const { answer } = await callOver(opened, target.token);
    if (answer === undefined || "code" in answer) {
      socket.terminate();
      return answer === undefined ? "something other than Jobwire answers" : REFUSED;
    }
  } catch (error) {
    return `did not answer (${messageOf(error)})`;
  }
  const watch = stopwatch();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(watch.stop()), holdMs);
    socket.on("message", (data: Buffer) => {
      watch.hear();
      if (data.toString() === "PING") socket.send("PONG");
    });
    socket.on("ping", watch.hear);
    socket.once("close", (code) => {
      clearTimeout(timer);
      resolve(watch.stop(`code ${code}`));
    });
  }).finally(() => socket.terminate()) as Promise<Held>;
}

async function holdStream(
  target: Target,
  holdMs: number,
  signal: AbortSignal,
): Promise<Held | string> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const headers = { accept: "text/event-stream", ...authorization(target) };
  try {
    const response = await openResponse(target, STREAM, { signal: stop, headers });
    if (response.statusCode !== 200) {
      response.destroy();
      return REFUSED;
    }
    const watch = stopwatch();
    const timer = setTimeout(() => ended.abort(), holdMs);
    let cutBy = "its end";
    let text = "";
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        watch.hear();
        if (text.length < 1000) text += chunk.toString("latin1");
      }
    } catch (error) {
      cutBy = messageOf(error);
    } finally {
      clearTimeout(timer);
    }
    if (/serialized-error/.test(text)) return REFUSED;
    return watch.stop(ended.signal.aborted ? undefined : cutBy);
  } catch (error) {
    return `did not open (${messageOf(error)})`;
  } finally {
    ended.abort();
  }
}
