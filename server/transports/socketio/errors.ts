/** Encodes our errors for legacy clients, in `subscription:error` and in acknowledgements. */
import { AppError, type ErrorCode } from "#shared/errors.ts";
import { FAULT, publicMessageOf } from "#shared/public-message.ts";

export interface LegacyError {
  code: ErrorCode;
  message: string;
  retry_after_ms?: number;
}

export function toLegacyError(thrown: unknown): LegacyError {
  if (!(thrown instanceof AppError)) return { code: "INTERNAL", message: FAULT };
  const { code, retryAfterMs } = thrown;
  const message = publicMessageOf(thrown);
  return { code, message, ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }) };
}
