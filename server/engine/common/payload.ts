import { AppError, messageOf } from "#shared/errors.ts";

/** `undefined` is stored as `null`: JSON has no other word for it. */
export function toJson(value: unknown, jobId: string, field: "input" | "output"): string {
  try {
    return JSON.stringify(value ?? null);
  } catch (cause) {
    throw new AppError(
      "BAD_REQUEST",
      `The ${field} of job ${jobId} cannot be stored as JSON (${messageOf(cause)}).`,
      { cause },
    );
  }
}
