/** The JSON body of a request, checked before it is parsed. */
import type { IncomingMessage } from "node:http";
import { BodyCutOff, BodyTooLarge, readBody } from "./body.ts";
import { type JsonShape, jsonShape, MAX_NESTING, MAX_VALUES } from "./json-shape.ts";
import { codingFault, decodeBody, NotText } from "./request-text.ts";

/** Enough for a batch of 10,000 jobs. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

export const SEND_JSON =
  "The body must be JSON: send it with the header Content-Type: application/json.";
const JSON_TYPE = /^application\/json *(?:;|$)/i;

/** The body is refused. The client receives the message. */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}

/** Resolves to the text, which is safe to parse, or to `undefined` if the client has left. Rejects with `BodyRefused`. */
export async function readJsonText(req: IncomingMessage): Promise<string | undefined> {
  const contentType = req.headers["content-type"] ?? "";
  if (!JSON_TYPE.test(contentType)) throw new BodyRefused(415, SEND_JSON);
  const coding = codingFault(req);
  if (coding !== undefined) throw new BodyRefused(415, coding);
  let text: string;
  try {
    text = decodeBody(await readBody(req, MAX_BODY_BYTES), contentType);
  } catch (cause) {
    if (cause instanceof BodyCutOff) return undefined;
    if (cause instanceof NotText) throw new BodyRefused(400, cause.message, cause);
    if (!(cause instanceof BodyTooLarge)) throw cause;
    throw new BodyRefused(
      413,
      `The body is larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB, which is the limit. Split the request.`,
    );
  }
  const excess = excessOf(jsonShape(text, MAX_NESTING));
  if (excess !== undefined) throw new BodyRefused(400, excess);
  return text;
}

/** Returns the limit that the text exceeds, as a message for the client; `undefined` if it is safe to parse. */
export function excessOf({
  depth,
  values,
}: Pick<JsonShape, "depth" | "values">): string | undefined {
  const excess =
    depth > MAX_NESTING
      ? `is nested deeper than ${MAX_NESTING} levels`
      : values > MAX_VALUES
        ? `holds more than ${MAX_VALUES} values`
        : undefined;
  return excess && `The input ${excess}, which is the limit. Split it.`;
}
