/** The body of a tRPC request over HTTP, checked before tRPC parses it. */
import type { IncomingMessage } from "node:http";
import { type TRPC_ERROR_CODE_KEY, TRPCError } from "@trpc/server";
import { BodyRefused, readJsonText } from "#server/transports/requests/json-body.ts";
import { NotText } from "#server/transports/requests/request-text.ts";

const CODES = {
  400: "BAD_REQUEST",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
} as const satisfies Record<BodyRefused["status"], TRPC_ERROR_CODE_KEY>;

/**
 * Resolves to the body, or to `undefined` if the client has left. Rejects with a `TRPCError` for the client. tRPC itself would also
 * parse forms and octet streams, which no procedure accepts.
 */
export async function readJsonBody(req: IncomingMessage): Promise<string | undefined> {
  if (req.method !== "POST") throw new TRPCError({ code: "METHOD_NOT_SUPPORTED" });
  try {
    return await readJsonText(req);
  } catch (error) {
    if (!(error instanceof BodyRefused)) throw error;
    const { status, message, cause } = error;
    if (cause instanceof NotText) throw notText(cause);
    throw new TRPCError({ code: CODES[status], message });
  }
}

export function notText(cause: NotText): TRPCError {
  return new TRPCError({ code: "BAD_REQUEST", message: cause.message, cause });
}
