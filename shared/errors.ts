/**
 * What can go wrong for a caller. Each transport maps these codes in a table of its own,
 * checked with `satisfies Record<ErrorCode, …>`, so that a new code cannot be forgotten anywhere.
 */
import { z } from "zod";
import { cutText } from "./cut-text.ts";
import { MAX_ERROR_CHARS } from "./limits.ts";

export const ErrorCode = z.enum([
  /** The input is malformed; `issues` names the fields. */
  "BAD_REQUEST",
  /** The credentials are missing or no good. */
  "UNAUTHORIZED",
  /** The credentials are good, and this is not for their owner. */
  "FORBIDDEN",
  /** It does not exist, or it belongs to somebody else. */
  "NOT_FOUND",
  /** The job's status does not allow this; the message names both states. */
  "ILLEGAL_TRANSITION",
  /** The runner that asks does not hold the job any more. */
  "CLAIM_LOST",
  /** The data cannot be written or read right now (disk full, engine closed): try again. */
  "UNAVAILABLE",
  /** The data cannot be opened: in use by another process, damaged, or of a newer version. */
  "DATA_UNUSABLE",
  /** A fault of ours. */
  "INTERNAL",
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** One thing that is wrong with an input: where (`["jobs", 3, "input", "targetUrl"]`), and what. */
export const InputIssue = z.object({
  path: z.array(z.union([z.string(), z.number()])),
  message: z.string(),
});
export type InputIssue = z.infer<typeof InputIssue>;

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  /** Only with `BAD_REQUEST`. */
  readonly issues: readonly InputIssue[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; issues?: readonly InputIssue[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.issues = options.issues ?? [];
  }
}

/** `instanceof` that never throws: a Proxy can refuse to tell its prototype. */
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

/** The text of anything that was thrown, at most `MAX_ERROR_CHARS` long. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown;
    return cutText(String(text), MAX_ERROR_CHARS);
  } catch {
    return "A value was thrown that has no text";
  }
}

/** Causes of causes that are told, or kept by a clean error. */
const MAX_CAUSES = 5;

/** The text of anything that was thrown with those of its causes, for the log. Never throws. */
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
 * Anything that was thrown as a plain `Error` with bounded text, for logs: a foreign error may have getters that throw.
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

/** A field of an error; `undefined` where it has none or does not let it be read. Never throws. */
export function fieldOf(thrown: unknown, field: string): unknown {
  try {
    return thrown instanceof Error
      ? (thrown as unknown as Record<string, unknown>)[field]
      : undefined;
  } catch {
    return undefined;
  }
}
