/**
 * The text of an error for clients. A text that was not written for them may say where the server keeps its data, or what
 * the hosts behind it are called: that is for the log, which has all of it.
 */
import { AppError, ErrorCode, fieldOf, isInstance, messageOf } from "./errors.ts";

/** Said in place of such a text. */
export const FAULT = "Something went wrong in the server. It was logged; try again.";

/** `true`: the message of an `AppError` with this code is for clients. */
const IS_FOR_CLIENTS = {
  BAD_REQUEST: true,
  UNAUTHORIZED: true,
  FORBIDDEN: true,
  NOT_FOUND: true,
  ILLEGAL_TRANSITION: true,
  CLAIM_LOST: true,
  UNAVAILABLE: true,
  DATA_UNUSABLE: false,
  INTERNAL: false,
} as const satisfies Record<ErrorCode, boolean>;

/** The message of an error of ours that is for clients, `FAULT` for any other. Never throws. */
export function publicMessageOf(thrown: unknown): string {
  if (!isInstance(thrown, AppError)) return FAULT;
  const code = ErrorCode.safeParse(fieldOf(thrown, "code"));
  return code.success && IS_FOR_CLIENTS[code.data] ? messageOf(thrown) : FAULT;
}

/**
 * The message of an error that code of a kind threw: its author wrote it for people, unless it is one of the system or of
 * a library, which have a `code`. Never throws.
 */
export function kindMessageOf(thrown: unknown): string {
  return typeof fieldOf(thrown, "code") === "string" ? publicMessageOf(thrown) : messageOf(thrown);
}
