/** Work for workers of other programs, as the API gives it, and its bounds. */
import type { JobStatus } from "./job.ts";

/** How long a call for work waits at most. */
export const MAX_WORK_WAIT_MS = 30_000;
/** Jobs that one call for work is given. */
export const MAX_WORK_JOBS = 50;
/** Kinds that one call for work names. */
export const MAX_WORK_KINDS = 100;
/** The shortest lease: one that ends before its worker's first call of its own is of no use. */
export const MIN_WORK_LEASE_MS = 1000;
/** The longest lease that a server can be configured to grant: a day. */
export const MAX_WORK_LEASE_MS = 86_400_000;
/** Calls for work that wait at one server. */
export const MAX_WAITING_WORKERS = 1000;
/** The text of one piece of a draft. In UTF-16 units. */
export const MAX_DRAFT_PIECE_CHARS = 256 * 1024;

/** A job that a worker got. */
export interface WorkJob {
  jobId: string;
  kind: string;
  tenant: string;
  title: string;
  input: unknown;
  /** 1 for the first one. */
  attempt: number;
  /** Proves that the worker holds the job. Each call about it sends it. */
  token: string;
  /** Unless a call about the job comes before, the lease ends then, and another worker gets the job. */
  leaseEndsInMs: number;
  /** For the header `traceparent` of requests that the worker makes. Absent: there is no trace. */
  traceparent?: string | undefined;
}

export interface Work {
  jobs: WorkJob[];
}

/** The answer to a call after which the attempt goes on. */
export interface Held {
  /** True: the job was cancelled. Stop working on it; its lease is over. */
  cancelled: boolean;
  leaseEndsInMs: number;
}

export interface DraftHeld extends Held {
  /** Of the draft of this attempt, in UTF-16 units: the `at` of the next piece. */
  length: number;
}

/** The answer to a call that ends the attempt. A repeated call has the same. */
export interface Ended {
  /** Of the job, afterwards. `PENDING`: it waits for its next attempt. */
  status: JobStatus;
  /** True: the job was cancelled before. What the worker sent is not stored. */
  cancelled: boolean;
}
