/** The batch: jobs created together. Watchers receive its newest state and not a log. */
import type { JobStatus } from "./job.ts";
import type { Owner } from "./principal.ts";

export const MAX_BATCH_JOBS = 10_000;

/** How many of a batch's jobs are in each status. */
export type BatchCounts = Record<JobStatus, number>;

/** A batch as engines store it. Everything that clients see of it is computed from the counts. */
export interface BatchRecord extends Owner {
  id: string;
  name: string | null;
  counts: BatchCounts;
  /** Counts up with each change of the counts: the cursor of `batch.onUpdate`. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export type BatchStatus = "pending" | "running" | "completed" | "failed";

export interface BatchAggregate {
  batchId: string;
  version: number;
  total: number;
  /** Jobs that are settled: delivered, blocked or aborted. */
  completed: number;
  delivered: number;
  blocked: number;
  aborted: number;
  /** Whole percent of jobs that are settled, rounded down. */
  progress: number;
  status: BatchStatus;
  message: string;
  at: Date;
  /** The log no longer reaches back to the watcher's cursor; this is the current state. */
  gap?: true | undefined;
}

export interface Batch extends Omit<BatchAggregate, "gap">, Owner {
  id: string;
  name: string | null;
  createdAt: Date;
}

export function emptyCounts(): BatchCounts {
  return { PENDING: 0, PROCESSING: 0, DELIVERED: 0, BLOCKED: 0, ABORTED: 0 };
}

/** The batch after one of its jobs went from one status to another. The same batch where nothing changed. */
export function recount(batch: BatchRecord, from: JobStatus, to: JobStatus, at: Date): BatchRecord {
  if (from === to) return batch;
  const counts = { ...batch.counts };
  counts[from] -= 1;
  counts[to] += 1;
  return { ...batch, counts, version: batch.version + 1, updatedAt: at };
}

export function isBatchSettled({ status }: BatchAggregate): boolean {
  return status === "completed" || status === "failed";
}

export function aggregateOf(batch: BatchRecord): BatchAggregate {
  const { PENDING, PROCESSING, DELIVERED, BLOCKED, ABORTED } = batch.counts;
  const completed = DELIVERED + BLOCKED + ABORTED;
  const total = PENDING + PROCESSING + completed;
  const status: BatchStatus =
    completed === total
      ? ABORTED === total
        ? "failed"
        : "completed"
      : PENDING === total
        ? "pending"
        : "running";
  return {
    batchId: batch.id,
    version: batch.version,
    total,
    completed,
    delivered: DELIVERED,
    blocked: BLOCKED,
    aborted: ABORTED,
    progress: total === 0 ? 100 : Math.floor((completed / total) * 100),
    status,
    message: MESSAGE[status](DELIVERED, BLOCKED, ABORTED),
    at: batch.updatedAt,
  };
}

/** "Processing batch..." is verbatim the text of the older system. */
const MESSAGE: Record<
  BatchStatus,
  (delivered: number, blocked: number, aborted: number) => string
> = {
  pending: () => "Batch created and queued for processing",
  running: () => "Processing batch...",
  completed: (delivered, blocked, aborted) =>
    `Batch completed: ${delivered} delivered, ${blocked} blocked, ${aborted} aborted`,
  failed: () => "Batch failed: every job was aborted",
};

export function batchOf(batch: BatchRecord): Batch {
  return {
    id: batch.id,
    name: batch.name,
    tenant: batch.tenant,
    owner: batch.owner,
    createdAt: batch.createdAt,
    ...aggregateOf(batch),
  };
}
