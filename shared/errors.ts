/**
 * What can go wrong for a caller. Each transport maps these codes in a table of its own,
 * checked with `satisfies Record<ErrorCode, …>`, so that a new code cannot be forgotten anywhere.
 */
import { z } from "zod";

export const ErrorCode = z.enum([
  /** The input is malformed; `issues` names the fields. */
  "BAD_REQUEST",
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

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
