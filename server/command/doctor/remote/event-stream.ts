/** Server-sent events: the first one must arrive while the stream is open. */
import type { IncomingMessage } from "node:http";
import { fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { openResponse } from "./ask.ts";
import { authorization, type Target } from "./target.ts";

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
    if (statusCode === 401 || statusCode === 403) {
      return [skip(NAME, `answered ${statusCode}: set JOBWIRE_TOKEN to keep a stream open`)];
    }
    if (!(got["content-type"] ?? "").startsWith("text/event-stream")) {
      return [notOurs(statusCode, got["content-type"])];
    }
    const findings = encoded(response);
    const text = await firstText(response);
    const ms = Math.ceil(performance.now() - sent);
    if (/serialized-error/.test(text)) {
      return [...findings, skip(NAME, "is refused: set JOBWIRE_TOKEN to keep a stream open")];
    }
    if (got["content-encoding"] === undefined && !text.startsWith("event: connected\n")) {
      return [notOurs(statusCode, "events of another program")];
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

/** Rejects when the stream ends, or its time does. */
async function firstText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString("latin1");
    // Compressed bytes say only that something came. A refusal follows `connected` in the same moment.
    if (
      response.headers["content-encoding"] !== undefined ||
      /\n\n[^]*\n\n/.test(text) ||
      text.length > 1000
    )
      return text;
  }
  if (text === "") throw new Error("the stream ended without an event");
  return text;
}

function encoded({ headers }: IncomingMessage): Finding[] {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return [];
  return [
    warn(NAME, `is compressed on the way (${encoding}), which may hold events back`, [
      "Leave text/event-stream out of what the proxy compresses.",
      BUFFERED,
    ]),
  ];
}

function notOurs(status: number, type: string | undefined): Finding {
  return fail(NAME, `answered ${status} with ${type ?? "no type"} in place of an event stream`, [
    "The path /trpc leads to another program, or a proxy answers for it.",
    BUFFERED,
  ]);
}
