/** How jobs and batches ended, as exit codes. */
import { BLOCKED, FAILED } from "#server/command/exit.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobStatus } from "#shared/job.ts";

/** 0 if all were delivered, 1 if one was aborted, and 2 if one waits for a person's decision. */
export type Outcome = 0 | typeof FAILED | typeof BLOCKED;

export function outcomeOfJob(status: JobStatus): Outcome {
  if (status === "DELIVERED") return 0;
  return status === "BLOCKED" ? BLOCKED : FAILED;
}

export function outcomeOfBatch({
  aborted,
  blocked,
}: Pick<BatchAggregate, "aborted" | "blocked">): Outcome {
  if (aborted > 0) return FAILED;
  return blocked > 0 ? BLOCKED : 0;
}

export function worst(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes(FAILED)) return FAILED;
  return outcomes.includes(BLOCKED) ? BLOCKED : 0;
}
