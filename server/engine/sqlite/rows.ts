/** Rows as they are stored, and the records that they stand for. */
import type { BatchRecord } from "#shared/batch.ts";
import type { JobEvent, JobEventType } from "#shared/events.ts";
import type { JobStatus, JobSummary } from "#shared/job.ts";

/** `SELECT ${JOB_COLUMNS} FROM ${JOB_TABLES}` gives `JobRow`s. */
export const JOB_COLUMNS = `
  jobs.n, jobs.id, jobs.owner_n, owners.tenant, owners.owner, owners.rev AS owner_rev, jobs.batch_n, batches.id AS batch_id,
  jobs.kind, jobs.title, jobs.status, jobs.progress, jobs.message, jobs.attempt, jobs.retries,
  jobs.error_code, jobs.error_message, jobs.created_at, jobs.started_at, jobs.finished_at,
  jobs.version, jobs.rev, jobs.held, jobs.token`;
export const JOB_TABLES = `jobs
  JOIN owners ON owners.n = jobs.owner_n
  LEFT JOIN batches ON batches.n = jobs.batch_n`;

export interface JobRow {
  n: number;
  id: string;
  owner_n: number;
  tenant: string;
  owner: string;
  owner_rev: number;
  batch_n: number | null;
  batch_id: string | null;
  kind: string;
  title: string;
  status: JobStatus;
  progress: number;
  message: string;
  attempt: number;
  retries: number;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  version: number;
  rev: number;
  held: number;
  token: number;
}

export function summaryOfRow(row: JobRow): JobSummary {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    tenant: row.tenant,
    owner: row.owner,
    status: row.status,
    progress: row.progress,
    message: row.message,
    attempt: row.attempt,
    retries: row.retries,
    batchId: row.batch_id,
    error:
      row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
    createdAt: new Date(row.created_at),
    startedAt: dateOf(row.started_at),
    finishedAt: dateOf(row.finished_at),
    version: row.version,
  };
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}

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
