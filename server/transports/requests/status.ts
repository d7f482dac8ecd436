/** The HTTP status of our errors. */
import type { ErrorCode } from "#shared/errors.ts";

export const STATUS = {
  BAD_REQUEST: 400,
  INCOMPATIBLE_CLIENT: 412,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ILLEGAL_TRANSITION: 409,
  KEY_REUSED: 422,
  CLAIM_LOST: 409,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  DATA_UNUSABLE: 500,
  INTERNAL: 500,
} as const satisfies Record<ErrorCode, number>;

/** The code of a request that the server refused before it reached its transport. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 403) return "FORBIDDEN";
  if (status === 404) return "NOT_FOUND";
  if (status === 429) return "RATE_LIMITED";
  if (status === 503) return "UNAVAILABLE";
  return status >= 500 ? "INTERNAL" : "BAD_REQUEST";
}
