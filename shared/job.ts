/** The job: one long piece of work that people watch. How it changes is in `lifecycle.ts`. */
import { z } from "zod";
import { Owner } from "./principal.ts";

export const JobStatus = z.enum(["PENDING", "PROCESSING", "DELIVERED", "BLOCKED", "ABORTED"]);
export type JobStatus = z.infer<typeof JobStatus>;

/** Settled: the job does not run, and only a decision of a person changes it. */
export const SETTLED = ["DELIVERED", "BLOCKED", "ABORTED"] as const satisfies JobStatus[];
export function isSettled(status: JobStatus): boolean {
  return status === "DELIVERED" || status === "BLOCKED" || status === "ABORTED";
}

export const Progress = z.int().min(0).max(100);

/** Why a job is ABORTED. `code` is for programs (`CANCELLED`, `PAGE_TIMEOUT` …), `message` for people. */
export const JobError = z.object({ code: z.string(), message: z.string() });
export type JobError = z.infer<typeof JobError>;

export const Job = Owner.extend({
  /** UUIDv7: ids sort by the time of creation, also within a millisecond (which Node's own do not). */
  id: z.uuid(),
  kind: z.string(),
  /** One line for lists. The kind makes it from the input. */
  title: z.string(),
  status: JobStatus,
  progress: Progress,
  message: z.string(),
  /**
   * The newest state beside percent and message that the kind reported in this attempt, in the shape of its `details`
   * schema. Absent: it reported none.
   */
  details: z.unknown().optional(),
  /** How often it was started: 0 before the first start. */
  attempt: z.int().min(0),
  /** Automatic retries used up since it was created or last requeued by a person. */
  retries: z.int().min(0),
  batchId: z.uuid().nullable(),
  error: JobError.nullable(),
  createdAt: z.date(),
  /** When the newest attempt started. */
  startedAt: z.date().nullable(),
  /** When it settled. */
  finishedAt: z.date().nullable(),
  /** The `seq` of its newest event. Every change counts one up. */
  version: z.int().min(1),
  input: z.unknown(),
  output: z.unknown(),
});
export type Job = z.infer<typeof Job>;

/** A job as lists and feeds show it: without `input` and `output`, which may be large. */
export const JobSummary = Job.omit({ input: true, output: true });
export type JobSummary = z.infer<typeof JobSummary>;

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
  } satisfies Record<Exclude<keyof JobSummary, "details">, unknown>;
  if (job.details !== undefined) summary.details = job.details;
  return summary;
}
