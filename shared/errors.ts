/**
 * The errors that callers can receive. A transport whose protocol has codes of its own maps these in a table that is
 * checked with `satisfies Record<ErrorCode, …>`, so that a new code cannot be forgotten; the others send them as they are.
 */
import { cutText } from "./cut-text.ts";
import { MAX_ERROR_CHARS } from "./limits.ts";

export const ERROR_CODES = [
  /** The input is malformed; `issues` names the fields. */
  "BAD_REQUEST",
  /** The client library has another major version than the server; the message names both. */
  "INCOMPATIBLE_CLIENT",
  /** The credentials are missing or invalid. */
  "UNAUTHENTICATED",
  /** The token was valid: get a new one, and try again. */
  "TOKEN_EXPIRED",
  /** The credentials are valid but do not permit this. */
  "FORBIDDEN",
  /** The object does not exist, or it belongs to another owner. */
  "NOT_FOUND",
  /** The job's status does not allow this; the message names both states. */
  "ILLEGAL_TRANSITION",
  /** The idempotency key belongs to a request with another content. */
  "KEY_REUSED",
  /** The calling runner no longer holds the job. */
  "CLAIM_LOST",
  /** The caller has reached a limit: wait for `retryAfterMs`, and try again. */
  "RATE_LIMITED",
  /** The data cannot be written or read at the moment (disk full, engine closed): try again. */
  "UNAVAILABLE",
  /** The data cannot be opened: in use by another process, damaged, or of a newer version. */
  "DATA_UNUSABLE",
  /** A fault of the server. */
  "INTERNAL",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One fault of an input: its path (`["jobs", 3, "input", "targetUrl"]`) and a message. */
export interface InputIssue {
  path: (string | number)[];
  message: string;
}

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  /** Empty unless the code is `BAD_REQUEST`. */
  readonly issues: readonly InputIssue[];
  /** Of `RATE_LIMITED`: when the same call may succeed, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; issues?: readonly InputIssue[]; retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The value of the header `Retry-After`, in whole seconds. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}

/** `instanceof` that never throws, even for a Proxy that hides its prototype. */
export function isInstance<T>(
  thrown: unknown,
  type: abstract new (...args: never[]) => T,
): thrown is T {
  try {
    return thrown instanceof type;
  } catch {
    return false;
  }
}

/** The text of any thrown value, at most `MAX_ERROR_CHARS` long. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown;
    return cutText(String(text), MAX_ERROR_CHARS);
  } catch {
    return "A value was thrown that has no text";
  }
}

/** Depth of a chain of causes that is reported and kept. */
const MAX_CAUSES = 5;

/** The texts of any thrown value and of its causes, for the log. Never throws. */
export function wholeMessageOf(thrown: unknown): string {
  const texts = [messageOf(thrown)];
  let cause = fieldOf(thrown, "cause");
  for (let depth = 0; depth < MAX_CAUSES && cause !== undefined; depth++) {
    const text = messageOf(cause);
    if (!texts.some((told) => told.includes(text))) texts.push(text);
    cause = fieldOf(cause, "cause");
  }
  return cutText(texts.join(" < "), MAX_ERROR_CHARS);
}

/**
 * Converts any thrown value to a plain `Error` with bounded texts, for logs: a foreign error may have getters that throw.
 * Keeps message, name, stack, code and causes. Never throws.
 */
export function asError(thrown: unknown, causes = MAX_CAUSES): Error {
  const message = messageOf(thrown);
  const name = textIn(thrown, "name") ?? "Error";
  const cause = fieldOf(thrown, "cause");
  const clean = new Error(
    message,
    cause === undefined || causes === 0 ? undefined : { cause: asError(cause, causes - 1) },
  );
  const code = textIn(thrown, "code");
  if (code !== undefined) Object.assign(clean, { code });
  const stack = textIn(thrown, "stack") ?? cutText(`${name}: ${message}`, MAX_ERROR_CHARS);
  for (const [field, value] of Object.entries({ name, stack })) {
    Object.defineProperty(clean, field, { value, enumerable: false });
  }
  return clean;
}

function textIn(thrown: unknown, field: string): string | undefined {
  const value = fieldOf(thrown, field);
  return typeof value === "string" ? cutText(value, MAX_ERROR_CHARS) : undefined;
}

/** A field of an error; `undefined` if it is missing or its getter throws. Never throws. */
export function fieldOf(thrown: unknown, field: string): unknown {
  try {
    return thrown instanceof Error
      ? (thrown as unknown as Record<string, unknown>)[field]
      : undefined;
  } catch {
    return undefined;
  }
}
