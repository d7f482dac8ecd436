/** Our errors as legacy clients see them, in `subscription:error` and in acknowledgements. */
import { AppError, type ErrorCode } from "#shared/errors.ts";

export interface LegacyError {
  code: string;
  message: string;
}

const FAULT = "Something went wrong in the server. It was logged; try again.";

/** What is said instead of the error's own message; `null`: the message is for the client. */
const LEGACY_MESSAGE = {
  BAD_REQUEST: null,
  NOT_FOUND: null,
  ILLEGAL_TRANSITION: null,
  CLAIM_LOST: null,
  UNAVAILABLE: null,
  DATA_UNUSABLE: FAULT,
  INTERNAL: FAULT,
} as const satisfies Record<ErrorCode, string | null>;

export function toLegacyError(thrown: unknown): LegacyError {
  if (!(thrown instanceof AppError)) return { code: "INTERNAL", message: FAULT };
  return { code: thrown.code, message: LEGACY_MESSAGE[thrown.code] ?? thrown.message };
}
