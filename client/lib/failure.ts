/** Failed requests: the reason, and when the same request may succeed. */
import { TRPCClientError } from "@trpc/client";
import type { ApiRouter } from "#shared/api.ts";
import { type ErrorCode, messageOf } from "#shared/errors.ts";

/** Upper bound of the backoff. */
const MAX_RETRY_MS = 5000;
/** The longest wait that a server may ask for. */
const MAX_LIMITED_MS = 60_000;
/** The part of such a wait that a client may add. */
const JITTER = 0.25;

/** Codes after which the same request may succeed later. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["RATE_LIMITED", "UNAVAILABLE", "INTERNAL"]);

/** True where a retry cannot help: the server answered, and not with a code that passes. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return false;
  const { data } = error as TRPCClientError<ApiRouter>;
  // A newer server has codes that are unknown here, and says which of them pass.
  return data != null && !PASSING.has(data.appCode) && data.retryAfterMs === undefined;
}

/** Milliseconds before the next attempt: as long as the server asks for, or a time that grows with `failures`. */
export function waitAfter(error: unknown, failures: number): number {
  const ms = failureOf(error).retryAfterMs;
  if (ms === undefined) return Math.min(500 * 2 ** failures, MAX_RETRY_MS);
  // Clients that were refused together do not come back together.
  return Math.min(ms, MAX_LIMITED_MS) * (1 + JITTER * Math.random());
}

/** A failed request. `code` is `undefined` where the server gave no answer. */
export interface Failed {
  code: ErrorCode | undefined;
  message: string;
  /** With `RATE_LIMITED`: when the same request may succeed, from then on. */
  retryAfterMs?: number;
}

export function failureOf(error: unknown): Failed {
  const message = messageOf(error);
  if (!(error instanceof TRPCClientError)) return { code: undefined, message };
  const { data } = error as TRPCClientError<ApiRouter>;
  const ms = data?.retryAfterMs;
  return { code: data?.appCode, message, ...(ms !== undefined && { retryAfterMs: ms }) };
}
