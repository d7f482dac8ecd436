/** The input and output of a job, as engines store them: JSON. */
import { AppError, asError, messageOf } from "#shared/errors.ts";
import type { JobError, JobPayload } from "#shared/job.ts";

/** `undefined` is stored as `null`: JSON has no `undefined`. */
export function toJson(value: unknown, jobId: string, field: keyof JobPayload): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value ?? null);
  } catch (thrown) {
    cause = asError(thrown);
  }
  if (text !== undefined) return text;
  const why = cause === undefined ? `it is a ${typeof value}` : messageOf(cause);
  throw new AppError(
    "BAD_REQUEST",
    `The ${field} of job ${jobId} cannot be stored as JSON (${why}).`,
    { cause },
  );
}

/** For a claim: one job whose data are damaged must not keep others from being claimed. Never throws. */
export function readable(read: () => JobPayload): {
  payload: JobPayload;
  fault: JobError | undefined;
} {
  try {
    return { payload: read(), fault: undefined };
  } catch (cause) {
    const message = `Its stored input or output cannot be read: ${messageOf(cause)}`;
    return {
      payload: { input: null, output: null },
      fault: { code: "DATA_UNREADABLE", message },
    };
  }
}
