/** Checks that every engine makes before it stores anything. */
import type { NewBatch } from "./contract.ts";
import { ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import {
  MAX_JOB_ATTEMPTS,
  MAX_LIMIT_KEY_CHARS,
  MAX_PRIORITY,
  MAX_START_DELAY_MS,
} from "#shared/limits.ts";

/** Engines store lone surrogates as one and the same character: two keys would be one. */
export function refuseIllFormed(fresh: NewJob | NewBatch): void {
  if ("input" in fresh) refuseOptions(fresh);
  const { id, idempotencyKey = "" } = fresh;
  const name = "name" in fresh ? (fresh.name ?? "") : "";
  const debounceKey = "debounce" in fresh ? (fresh.debounce?.key ?? "") : "";
  for (const [what, text] of [
    ["idempotency key", idempotencyKey],
    ["name", name],
    ["debounce key", debounceKey],
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
    refuseOptions(job);
    if (
      job.batchId !== batch.id ||
      job.tenant !== batch.tenant ||
      job.owner !== batch.owner ||
      job.idempotencyKey !== undefined ||
      job.debounce !== undefined ||
      job.scheduleId !== undefined ||
      job.outside !== undefined
    ) {
      throw new AppError(
        "BAD_REQUEST",
        `Job ${job.id} does not fit batch ${batch.id}: it must name the batch, have its owner, have no idempotency key, debounce and schedule, and not be mirrored.`,
      );
    }
  }
}

function refuseOptions(job: NewJob): void {
  if (job.key !== undefined) refuseKey(job.id, job.key);
  const { id, priority = 0, maxAttempts = 1, expiresInMs = 1, debounce } = job;
  const { windowMs = 1, maxWaitMs = 1 } = debounce ?? {};
  for (const [what, value, least, most] of [
    ["priority", priority, 0, MAX_PRIORITY],
    ["maxAttempts", maxAttempts, 1, MAX_JOB_ATTEMPTS],
    ["expiresInMs", expiresInMs, 1, MAX_START_DELAY_MS],
    ["debounce.windowMs", windowMs, 1, MAX_START_DELAY_MS],
    ["debounce.maxWaitMs", maxWaitMs, 1, MAX_START_DELAY_MS],
  ] as const) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw new AppError(
      "BAD_REQUEST",
      `The ${what} of job ${id} must be a whole number ${least}..${most}, but it is ${String(value)}.`,
    );
  }
  if (debounce === undefined) return;
  if (job.idempotencyKey === undefined && job.startsAt === undefined) return;
  throw new AppError(
    "BAD_REQUEST",
    `Job ${id} has a debounce, so it can have neither an idempotency key nor a time to start.`,
  );
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
