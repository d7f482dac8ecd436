/**
 * Error messages for clients. A message that was not written for clients may contain paths or host names of the server,
 * so it goes to the log only.
 */
import { AppError, ERROR_CODES, type ErrorCode, fieldOf, isInstance, messageOf } from "./errors.ts";

/** Replaces such a message. */
export const FAULT = "Something went wrong in the server. It was logged; try again.";

/** `true`: messages of an `AppError` with this code are written for clients. */
const IS_FOR_CLIENTS = {
  BAD_REQUEST: true,
  INCOMPATIBLE_CLIENT: true,
  UNAUTHENTICATED: true,
  TOKEN_EXPIRED: true,
  FORBIDDEN: true,
  NOT_FOUND: true,
  ILLEGAL_TRANSITION: true,
  KEY_REUSED: true,
  CLAIM_LOST: true,
  RATE_LIMITED: true,
  UNAVAILABLE: true,
  DATA_UNUSABLE: false,
  INTERNAL: false,
} as const satisfies Record<ErrorCode, boolean>;

/** The message of an `AppError` if it is for clients, otherwise `FAULT`. Never throws. */
export function publicMessageOf(thrown: unknown): string {
  if (!isInstance(thrown, AppError)) return FAULT;
  const given = fieldOf(thrown, "code");
  const code = ERROR_CODES.find((each) => each === given);
  return code !== undefined && IS_FOR_CLIENTS[code] ? messageOf(thrown) : FAULT;
}

/**
 * The message of an error that a kind's code threw. Its author wrote it for people, except for errors of the system or of
 * a library, which have a `code`. Never throws.
 */
export function kindMessageOf(thrown: unknown): string {
  return typeof fieldOf(thrown, "code") === "string" ? publicMessageOf(thrown) : messageOf(thrown);
}
