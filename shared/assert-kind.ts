import { AppError } from "./errors.ts";
import type { JobSummary } from "./job.ts";

/** Throws `NOT_FOUND` for a job of another kind than the one asked for, if one is. Only for callers that may read the job. */
export function assertKind({ id, kind }: Pick<JobSummary, "id" | "kind">, asked?: string): void {
  if (asked === undefined || kind === asked) return;
  throw new AppError("NOT_FOUND", `Job ${id} is of the kind "${kind}" and not of "${asked}".`);
}
