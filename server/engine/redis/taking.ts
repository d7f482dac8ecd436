/** Claims that begin with a change: what is asked for, and what is given. */
import type { JobEvent } from "#shared/events.ts";
import type { Job, JobError } from "#shared/job.ts";

/** A claim that begins with a change: the job's place in the queue, its lock, and the end of the lease. */
export interface Taking {
  /** Idempotency key: repeated calls with the same one take the job once. */
  op: string;
  queuedAs: string;
  lock: string;
  till: number;
}

/** A taken job, and the event of its start. */
export interface Taken {
  job: Job;
  started: JobEvent;
  token: number;
  trace: string | undefined;
  fault: JobError | undefined;
}

/** The answer of `change.lua`. */
export type TakenAnswer = [
  "ok",
  token: number,
  input: string,
  output: string | null,
  trace: string | null,
];
