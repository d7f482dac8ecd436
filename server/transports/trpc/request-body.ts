/** The body of a tRPC request over HTTP, checked before tRPC parses it. */
import type { IncomingMessage } from "node:http";
import { TRPCError } from "@trpc/server";
import { BodyCutOff, BodyTooLarge, readBody } from "#server/transports/requests/body.ts";
import {
  type JsonShape,
  jsonShape,
  MAX_NESTING,
  MAX_VALUES,
} from "#server/transports/requests/json-shape.ts";
import { codingFault, decodeBody, NotText } from "#server/transports/requests/request-text.ts";

/** Enough for a batch of 10,000 jobs. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

export const SEND_JSON =
  "The body must be JSON: send it with the header Content-Type: application/json.";
const JSON_TYPE = /^application\/json *(?:;|$)/i;

/** Resolves to the body, or to `undefined` if the client has left. Rejects with a `TRPCError` for the client. */
export async function readJsonBody(req: IncomingMessage): Promise<string | undefined> {
  if (req.method !== "POST") throw new TRPCError({ code: "METHOD_NOT_SUPPORTED" });
  // tRPC would also parse forms and octet streams, which no procedure accepts.
  const contentType = req.headers["content-type"] ?? "";
  if (!JSON_TYPE.test(contentType)) throw unsupported(SEND_JSON);
  const coding = codingFault(req);
  if (coding !== undefined) throw unsupported(coding);
  let text: string;
  try {
    text = decodeBody(await readBody(req, MAX_BODY_BYTES), contentType);
  } catch (cause) {
    if (cause instanceof BodyCutOff) return undefined;
    if (cause instanceof NotText) throw notText(cause);
    if (!(cause instanceof BodyTooLarge)) throw cause;
    const message = `The body is larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB, which is the limit. Split the request.`;
    throw new TRPCError({ code: "PAYLOAD_TOO_LARGE", message });
  }
  const excess = excessOf(jsonShape(text, MAX_NESTING));
  if (excess !== undefined) throw new TRPCError({ code: "BAD_REQUEST", message: excess });
  return text;
}

function unsupported(message: string): TRPCError {
  return new TRPCError({ code: "UNSUPPORTED_MEDIA_TYPE", message });
}

export function notText(cause: NotText): TRPCError {
  return new TRPCError({ code: "BAD_REQUEST", message: cause.message, cause });
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
