/** Bounds of what kinds and people write into records. What the compiler knows of it need not hold at run time. Pure. */
import { cutText } from "./cut-text.ts";
import { AppError, messageOf } from "./errors.ts";
import type { Job, JobError } from "./job.ts";
import { MAX_ERROR_CODE_CHARS, MAX_JOB_EVENTS, MAX_MESSAGE_CHARS } from "./limits.ts";

/** A percent as records have it. What is no number moves nothing: progress never falls. */
export function wholePercent(percent: unknown): number {
  return typeof percent === "number" ? Math.min(100, Math.max(0, Math.round(percent) || 0)) : 0;
}

/** `BAD_REQUEST` where it is no text. */
export function messageText(action: string, message: unknown): string {
  if (typeof message === "string") return cutText(message, MAX_MESSAGE_CHARS);
  const is = message === null ? "null" : typeof message;
  throw new AppError("BAD_REQUEST", `The message of "${action}" must be text, but it is ${is}.`);
}

/** Never refused: it is how a job ends that nothing else can end. */
export function boundedError({ code, message }: { code: unknown; message: unknown }): JobError {
  return {
    code: cutText(typeof code === "string" ? code : "INTERNAL", MAX_ERROR_CODE_CHARS),
    message: cutText(messageOf(message), MAX_MESSAGE_CHARS),
  };
}

/** Actions that make a log grow for as long as they are asked for. All others end the job, or follow these. */
const REPEATABLE: ReadonlySet<string> = new Set(["progress", "retry", "regenerate"]);

/** `ILLEGAL_TRANSITION` where the log has all events that it may have. */
export function refuseIfFull({ id, version }: Pick<Job, "id" | "version">, action: string): void {
  if (version < MAX_JOB_EVENTS || !REPEATABLE.has(action)) return;
  const limit = MAX_JOB_EVENTS.toLocaleString("en-US");
  throw new AppError(
    "ILLEGAL_TRANSITION",
    `Job ${id} has ${version} events, and ${limit} is the limit: "${action}" is not possible any more. Create a new job.`,
  );
}
