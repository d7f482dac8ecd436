/** Rows of events and batches, and what they stand for. Those of jobs: `job-rows.ts`. */
import type { BatchRecord } from "#shared/batch.ts";
import type { JobEvent, JobEventType } from "#shared/events.ts";

export const EVENT_COLUMNS = "seq, at, attempt, type, progress, message";

export interface EventRow {
  seq: number;
  at: number;
  attempt: number;
  type: JobEventType;
  progress: number;
  message: string;
}

/** Each type of event belongs to one status, so the log need not store it. */
const STATUS_OF = {
  created: "PENDING",
  started: "PROCESSING",
  progress: "PROCESSING",
  retrying: "PENDING",
  delivered: "DELIVERED",
  blocked: "BLOCKED",
  aborted: "ABORTED",
  approved: "DELIVERED",
  rejected: "ABORTED",
  requeued: "PENDING",
} as const satisfies { [Type in JobEventType]: Extract<JobEvent, { type: Type }>["status"] };

export function eventOfRow(jobId: string, row: EventRow): JobEvent {
  return {
    jobId,
    seq: row.seq,
    at: new Date(row.at),
    attempt: row.attempt,
    type: row.type,
    status: STATUS_OF[row.type],
    progress: row.progress,
    message: row.message,
  } as JobEvent;
}

/** `SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES}` gives `BatchRow`s. */
export const BATCH_COLUMNS = `
  batches.n, batches.id, owners.tenant, owners.owner, batches.name, batches.pending, batches.processing,
  batches.delivered, batches.blocked, batches.aborted, batches.version, batches.created_at, batches.updated_at`;
export const BATCH_TABLES = "batches JOIN owners ON owners.n = batches.owner_n";

export interface BatchRow {
  n: number;
  id: string;
  tenant: string;
  owner: string;
  name: string | null;
  pending: number;
  processing: number;
  delivered: number;
  blocked: number;
  aborted: number;
  version: number;
  created_at: number;
  updated_at: number;
}

export function batchOfRow(row: BatchRow): BatchRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    owner: row.owner,
    name: row.name,
    counts: {
      PENDING: row.pending,
      PROCESSING: row.processing,
      DELIVERED: row.delivered,
      BLOCKED: row.blocked,
      ABORTED: row.aborted,
    },
    version: row.version,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}
