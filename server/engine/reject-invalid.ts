/** Checks that every engine makes before it stores anything. */
import type { NewBatch } from "./contract.ts";
import { ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import { MAX_PRIORITY } from "#shared/limits.ts";

/** Engines store lone surrogates as one and the same character: two keys would be one. */
export function refuseIllFormed(fresh: NewJob | NewBatch): void {
  if ("input" in fresh) refusePriority(fresh);
  const { id, idempotencyKey = "" } = fresh;
  const name = "name" in fresh ? (fresh.name ?? "") : "";
  for (const [what, text] of [
    ["idempotency key", idempotencyKey],
    ["name", name],
  ] as const) {
    if (!isWellFormed(text))
      throw new AppError("BAD_REQUEST", `The ${what} of ${id} ${ILL_FORMED}.`);
  }
}

export function refuseMember(fresh: NewJob): void {
  if (fresh.batchId === null) return;
  throw new AppError(
    "BAD_REQUEST",
    `Job ${fresh.id} names batch ${fresh.batchId}: jobs come into a batch only when it is created.`,
  );
}

export function refuseStrangers(batch: NewBatch, jobs: readonly NewJob[]): void {
  if (jobs.length === 0) {
    throw new AppError("BAD_REQUEST", `Batch ${batch.id} has no jobs: it needs one at least.`);
  }
  for (const job of jobs) {
    refusePriority(job);
    if (
      job.batchId !== batch.id ||
      job.tenant !== batch.tenant ||
      job.owner !== batch.owner ||
      job.idempotencyKey !== undefined
    ) {
      throw new AppError(
        "BAD_REQUEST",
        `Job ${job.id} does not fit batch ${batch.id}: it must name the batch, have its owner, and have no idempotency key.`,
      );
    }
  }
}

function refusePriority({ id, priority = 0 }: NewJob): void {
  if (Number.isInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY) return;
  throw new AppError(
    "BAD_REQUEST",
    `The priority of job ${id} must be a whole number 0..${MAX_PRIORITY}, but it is ${String(priority)}.`,
  );
}
