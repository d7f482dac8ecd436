/** Bounds on values that kinds and people write into records. The declared types may not hold at run time. Pure. */
import { cutText } from "./cut-text.ts";
import { AppError, messageOf } from "./errors.ts";
import type { Job, JobError } from "./job.ts";
import { MAX_ERROR_CODE_CHARS, MAX_JOB_EVENTS, MAX_MESSAGE_CHARS } from "./limits.ts";

/** A percent as records store it. A value that is not a number counts as 0, which leaves the progress as it was. */
export function wholePercent(percent: unknown): number {
  return typeof percent === "number" ? Math.min(100, Math.max(0, Math.round(percent) || 0)) : 0;
}

/** Throws `BAD_REQUEST` when the message is not a string. */
export function messageText(action: string, message: unknown): string {
  if (typeof message === "string") return cutText(message, MAX_MESSAGE_CHARS);
  const is = message === null ? "null" : typeof message;
  throw new AppError("BAD_REQUEST", `The message of "${action}" must be text, but it is ${is}.`);
}

/** Never throws: a failure must always be able to end a job. */
export function boundedError({ code, message }: { code: unknown; message: unknown }): JobError {
  return {
    code: cutText(typeof code === "string" ? code : "INTERNAL", MAX_ERROR_CODE_CHARS),
    message: cutText(messageOf(message), MAX_MESSAGE_CHARS),
  };
}

/** Throws `ILLEGAL_TRANSITION` when the log has reached `MAX_JOB_EVENTS`. */
export function refuseIfFull({ id, version }: Pick<Job, "id" | "version">, action: string): void {
  if (version < MAX_JOB_EVENTS) return;
  const limit = MAX_JOB_EVENTS.toLocaleString("en-US");
  throw new AppError(
    "ILLEGAL_TRANSITION",
    `Job ${id} has ${version} events, and ${limit} is the limit: "${action}" is not possible any more. Create a new job.`,
  );
}
