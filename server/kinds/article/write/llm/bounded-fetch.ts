/**
 * A `fetch` for model clients that bounds foreign responses: the clients buffer until a line of the stream, or a
 * whole error body, is complete.
 */
import { Failure } from "#server/kinds/define.ts";

export interface ResponseLimits {
  /** Limit of a successful response. */
  bytes: number;
  /** Limit of a line, in bytes without a line feed. */
  lineBytes: number;
  /** Limit of an error response, whose rest is dropped. */
  errorBytes: number;
}

/** Answers have at most some 40,000 characters, and each character can arrive in an event of some hundred bytes. */
const LIMITS: ResponseLimits = {
  bytes: 32 * 1024 * 1024,
  lineBytes: 512 * 1024,
  errorBytes: 64 * 1024,
};
const LINE_FEED = 0x0a;

export function createBoundedFetch(limits: ResponseLimits = LIMITS): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const bound = response.ok ? boundedStream(limits) : beginning(limits.errorBytes);
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
  };
}

function boundedStream({ bytes, lineBytes }: ResponseLimits): TransformStream<Uint8Array> {
  let total = 0;
  let line = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.byteLength;
      if (total > bytes) throw tooLong("answer", bytes);
      let at = 0;
      while (at < chunk.byteLength) {
        const end = chunk.indexOf(LINE_FEED, at);
        line += (end === -1 ? chunk.byteLength : end) - at;
        if (line > lineBytes) throw tooLong("line", lineBytes);
        if (end === -1) break;
        line = 0;
        at = end + 1;
      }
      controller.enqueue(chunk);
    },
  });
}

function beginning(bytes: number): TransformStream<Uint8Array> {
  let left = bytes;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.byteLength;
      if (left <= 0) controller.terminate();
    },
  });
}

function tooLong(part: "answer" | "line", bytes: number): Failure {
  return new Failure(
    "LLM_TOO_LONG",
    `The model's server sent ${part === "line" ? "a line" : "an answer"} of more than ${bytes / 1024} KiB: regenerate the article, or choose another model`,
  );
}
