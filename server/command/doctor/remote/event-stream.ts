/** Server-sent events: the first one must arrive while the stream is open. */
import type { IncomingMessage } from "node:http";
import { pipeline, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { type Advice, fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { beginningOf, openResponse } from "./ask.ts";
import { adviceOn, isAboutCredentials, refusalBy } from "./refusal.ts";
import { authorization, type Target } from "./target.ts";
import { infoIn, infoOf, parsed, type SystemAnswer } from "./trpc-answer.ts";

const NAME = "event stream";
/** The server sends `connected` and the state at once. */
const FIRST_EVENT_MS = 5000;
const BUFFERED = "docs/troubleshooting.md#the-event-stream-is-buffered";

/** The stream stays open for as long as it is read, and says at once that it is connected. */
export const STREAM = "/trpc/system.onState";

export async function checkEventStream(
  target: Target,
  signal: AbortSignal,
  firstEventMs = FIRST_EVENT_MS,
): Promise<Finding[]> {
  const ended = new AbortController();
  const late = AbortSignal.timeout(firstEventMs);
  const sent = performance.now();
  const headers = {
    accept: "text/event-stream",
    "accept-encoding": "gzip, br",
    ...authorization(target),
  };
  try {
    const response = await openResponse(target, STREAM, {
      signal: AbortSignal.any([signal, ended.signal, late]),
      headers,
    });
    const { statusCode = 0, headers: got } = response;
    if (!(got["content-type"] ?? "").startsWith("text/event-stream")) {
      return [await notOurs(response, target)];
    }
    const findings = encoded(response);
    const text = await firstText(response);
    const ms = Math.ceil(performance.now() - sent);
    const refusal = refusalIn(text);
    if (refusal !== undefined) return [...findings, refused(refusal, target)];
    if (!text.startsWith("event: connected\n") && isReadable(response)) {
      return [otherProgram(statusCode, "events of another program")];
    }
    return [
      ...findings,
      ok(NAME, `the first event came after ${ms} ms, while the stream was open`),
    ];
  } catch (error) {
    if (!late.aborted) throw error;
    return [
      fail(
        NAME,
        `no event came within ${firstEventMs / 1000} s: something on the way holds them back`,
        ["Switch buffering off for /trpc. nginx: proxy_buffering off;", BUFFERED],
      ),
    ];
  } finally {
    ended.abort();
  }
}

/** Encodings that hold bytes back until they have enough of them. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  br: createBrotliDecompress,
};

function isReadable({ headers }: IncomingMessage): boolean {
  const { "content-encoding": encoding = "identity" } = headers;
  return encoding === "identity" || DECODERS[encoding] !== undefined;
}

/** Rejects when the stream ends, or its time does. */
async function firstText(response: IncomingMessage): Promise<string> {
  const decode = DECODERS[response.headers["content-encoding"] ?? ""];
  // It passes the error of the response on.
  const source = decode === undefined ? response : pipeline(response, decode(), () => undefined);
  let text = "";
  for await (const chunk of source as AsyncIterable<Buffer>) {
    text += chunk.toString("latin1");
    // Other encodings say only that something came. A refusal follows `connected` in the same moment.
    if (!isReadable(response) || /\n\n[^]*\n\n/.test(text) || text.length > 1000) return text;
  }
  if (text === "") throw new Error("the stream ended without an event");
  return text;
}

/** The server's refusal, which is an event where the stream has begun. */
function refusalIn(text: string): SystemAnswer | undefined {
  const [, data = ""] = /serialized-error\ndata: (.*)\n/.exec(text) ?? [];
  return infoOf({ error: parsed(data) });
}

function refused(refusal: SystemAnswer, { token }: Target): Finding {
  if (!("code" in refusal)) return otherProgram(200, "an answer that is no stream");
  if (token === undefined && isAboutCredentials(refusal)) {
    return skip(NAME, "is refused: set JOBWIRE_TOKEN to keep a stream open");
  }
  const { found, advice } = refusalBy(refusal);
  return fail(NAME, `opens, and ${found}`, advice);
}

/** The server compresses streams in gzip alone, with a flush for each event. */
function encoded({ headers }: IncomingMessage): Finding[] {
  const { "content-encoding": encoding = "identity" } = headers;
  if (encoding === "identity" || encoding === "gzip") return [];
  return [
    warn(NAME, `is compressed on the way (${encoding}), which may hold events back`, [
      "Leave text/event-stream out of what the proxy compresses.",
      BUFFERED,
    ]),
  ];
}

/** An answer that is no event stream. */
async function notOurs(response: IncomingMessage, target: Target): Promise<Finding> {
  const { statusCode: status = 0, headers } = response;
  const body = await beginningOf(response);
  const info = infoIn({ body });
  if (info !== undefined) return refused(info, target);
  if (target.token === undefined && status === 401) {
    return skip(NAME, `answered ${status}: set JOBWIRE_TOKEN to keep a stream open`);
  }
  const other = otherProgram(status, headers["content-type"] ?? "no type");
  return fail(NAME, other.found, adviceOn({ status, body }, OTHER));
}

const OTHER: Advice = [
  "The path /trpc leads to another program, or a proxy answers for it.",
  BUFFERED,
];

function otherProgram(status: number, what: string): Finding {
  return fail(NAME, `answered ${status} with ${what} in place of an event stream`, OTHER);
}
