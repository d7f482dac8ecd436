/** A worker: a process that runs jobs, as operators see it. */

/**
 * `paused`: everything is paused, so it starts no jobs. `draining`: it was told to start no more jobs, and `drained`: none is left.
 * `stopping`: its process ends.
 */
export const WORKER_STATES = ["running", "paused", "draining", "drained", "stopping"] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** Jobs of a worker that are shown: those that run for the longest time. */
export const MAX_WORKER_JOBS = 50;
/** Kinds of a worker that are shown. */
export const MAX_WORKER_KINDS = 100;

export interface Worker {
  /** Another one at each start of the process. Later ones are greater. */
  id: string;
  /** `NODE_NAME`, or the name of the host. */
  name: string;
  host: string;
  pid: number;
  /** Of Jobwire. */
  version: string;
  /** At most `MAX_WORKER_KINDS`. */
  kinds: string[];
  kindCount: number;
  /** Jobs that it runs at a time. */
  slots: number;
  startedAt: Date;
  state: WorkerState;
  /** Jobs that it holds. Some more than `slots` while the ends of others are being stored. */
  running: number;
  /** At most `MAX_WORKER_JOBS`, the longest running first. */
  jobs: WorkerJob[];
}

/** A running job, without its contents. */
export interface WorkerJob {
  id: string;
  kind: string;
  tenant: string;
  attempt: number;
  /** When this worker took it. */
  since: Date;
}

export interface WorkerPage {
  /** Those that started first come first. */
  items: Worker[];
  nextCursor: string | null;
}
