/** The job: one long piece of work that people watch. How it changes is in `lifecycle.ts`. */
import type { Owner } from "./principal.ts";

export const JOB_STATUSES = ["PENDING", "PROCESSING", "DELIVERED", "BLOCKED", "ABORTED"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Settled: the job does not run, and only a decision of a person changes it. */
export const SETTLED = ["DELIVERED", "BLOCKED", "ABORTED"] as const satisfies JobStatus[];
export function isSettled(status: JobStatus): boolean {
  return status === "DELIVERED" || status === "BLOCKED" || status === "ABORTED";
}

/** Certain to change by itself. False also for a status of a newer server, which this version does not know. */
export function isMoving(status: JobStatus): boolean {
  return status === "PENDING" || status === "PROCESSING";
}

/** Why a job is ABORTED. `code` is for programs (`CANCELLED`, `PAGE_TIMEOUT` …), `message` for people. */
export interface JobError {
  code: string;
  message: string;
}

export interface Job extends Owner {
  /** UUIDv7: ids sort by the time of creation, also within a millisecond (which Node's own do not). */
  id: string;
  kind: string;
  /** One line for lists. The kind makes it from the input. */
  title: string;
  status: JobStatus;
  /** Whole percent. */
  progress: number;
  message: string;
  /**
   * The newest state beside percent and message that the kind reported in this attempt, in the shape of its `details`
   * schema. Absent: it reported none.
   */
  details?: unknown;
  /** How often it was started: 0 before the first start. */
  attempt: number;
  /** Automatic retries used up since it was created or last requeued by a person. */
  retries: number;
  batchId: string | null;
  /** The schedule that created it, by plan or by hand. */
  scheduleId: string | null;
  error: JobError | null;
  /** 0 to `MAX_PRIORITY`: the tenant's jobs with more are given out first. */
  priority: number;
  /** How often it may be started. `null`: as the server and its kind say. */
  maxAttempts: number | null;
  createdAt: Date;
  /** It does not start before. `null`: nothing delays it, or it has started or settled. */
  startsAt: Date | null;
  /** Then it is aborted, unless it has started. `null`: it does not expire, or it has started or settled. */
  expiresAt: Date | null;
  /** When the newest attempt started. */
  startedAt: Date | null;
  /** When it settled. */
  finishedAt: Date | null;
  /** The `seq` of its newest event. Every change counts one up. */
  version: number;
  input: unknown;
  output: unknown;
}

/** A job as lists and feeds show it: without `input` and `output`, which may be large. */
export type JobSummary = Omit<Job, "input" | "output">;

/** The part of a job that its summary omits. */
export type JobPayload = Omit<Job, keyof JobSummary>;

/**
 * Field by field: a rest pattern costs many times as much, and every change of a job makes a summary. A job without details
 * has no such field.
 */
export function summaryOf(job: Job): JobSummary {
  const summary: JobSummary = {
    id: job.id,
    kind: job.kind,
    title: job.title,
    tenant: job.tenant,
    owner: job.owner,
    status: job.status,
    progress: job.progress,
    message: job.message,
    attempt: job.attempt,
    retries: job.retries,
    batchId: job.batchId,
    error: job.error,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    version: job.version,
    priority: job.priority,
    maxAttempts: job.maxAttempts,
    startsAt: job.startsAt,
    expiresAt: job.expiresAt,
    scheduleId: job.scheduleId,
  } satisfies Record<Exclude<keyof JobSummary, "details">, unknown>;
  if (job.details !== undefined) summary.details = job.details;
  return summary;
}
