/** The request of a sign-in. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import {
  BodyCutOff,
  BodyTooLarge,
  discardBody,
  readBody,
} from "#server/transports/requests/body.ts";
import { codingFault, decodeBody } from "#server/transports/requests/request-text.ts";
import { AppError, messageOf } from "#shared/errors.ts";

/** Twice the longest token. */
const MAX_SIGN_IN_BYTES = 16 * 1024;
/** A form of a foreign page cannot have this type. */
const JSON_TYPE = /^application\/json *(?:;|$)/i;

const SignInRequest = z.object({ token: z.string().trim().min(1) });
export type SignInRequest = z.infer<typeof SignInRequest>;

const SEND = 'Send {"token": "…"} as JSON, with the header Content-Type: application/json.';

/** Resolves to `undefined` if the client has left. Rejects with `BAD_REQUEST`. */
export async function readSignIn(req: IncomingMessage): Promise<SignInRequest | undefined> {
  const type = req.headers["content-type"] ?? "";
  const fault = JSON_TYPE.test(type) ? codingFault(req) : SEND;
  if (fault !== undefined) {
    discardBody(req);
    throw new AppError("BAD_REQUEST", fault);
  }
  let value: unknown;
  try {
    value = JSON.parse(decodeBody(await readBody(req, MAX_SIGN_IN_BYTES), type));
  } catch (cause) {
    if (cause instanceof BodyCutOff) return undefined;
    throw new AppError("BAD_REQUEST", cause instanceof BodyTooLarge ? messageOf(cause) : SEND);
  }
  const parsed = SignInRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError("BAD_REQUEST", SEND);
}
