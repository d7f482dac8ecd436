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
  CLAIM_LOST: 409,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  DATA_UNUSABLE: 500,
  INTERNAL: 500,
} as const satisfies Record<ErrorCode, number>;

/** The code of a request that the server refused before it reached this transport. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 403) return "FORBIDDEN";
  if (status === 429) return "RATE_LIMITED";
  return status >= 500 ? "INTERNAL" : "BAD_REQUEST";
}
