/** Checks that every engine makes before it stores anything. */
import type { NewBatch } from "./contract.ts";
import { ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import { MAX_LIMIT_KEY_CHARS, MAX_PRIORITY } from "#shared/limits.ts";

/** Engines store lone surrogates as one and the same character: two keys would be one. */
export function refuseIllFormed(fresh: NewJob | NewBatch): void {
  if ("input" in fresh) refusePlace(fresh);
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
    refusePlace(job);
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

/** Refuses what says where in the queue the job waits. */
function refusePlace(fresh: NewJob): void {
  refusePriority(fresh);
  if (fresh.key !== undefined) refuseKey(fresh.id, fresh.key);
}

function refuseKey(id: string, key: string): void {
  const wrong = faultOfKey(key);
  if (wrong !== undefined) {
    throw new AppError("BAD_REQUEST", `The key of job ${id} for the limits of its kind ${wrong}.`);
  }
}

function faultOfKey(key: unknown): string | undefined {
  if (typeof key !== "string") return `must be a text, but it is ${typeof key}`;
  if (key.length > MAX_LIMIT_KEY_CHARS) {
    return `has ${key.length} characters: ${MAX_LIMIT_KEY_CHARS} are allowed`;
  }
  return isWellFormed(key) ? undefined : ILL_FORMED;
}

function refusePriority({ id, priority = 0 }: NewJob): void {
  if (Number.isInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY) return;
  throw new AppError(
    "BAD_REQUEST",
    `The priority of job ${id} must be a whole number 0..${MAX_PRIORITY}, but it is ${String(priority)}.`,
  );
}
