/** An engine alone, in which many jobs wait. */
export interface Backlog {
  /** Creates the jobs, in bulk. */
  fill(shape: Shape): Promise<Filled>;
  /** Claims `count` times, each time `max` jobs at most. Afterwards, unmeasured, they are delivered, and as many created. */
  claims(asked: { count: number; max: number }): Promise<ClaimCost>;
  /** Reads of the first tenant. Resolves to the milliseconds of each call, by what is read. */
  reads(asked: { count: number }): Promise<Record<Read, number[]>>;
}

/** Jobs spread evenly over tenants, and over keys in each tenant. With keys they have priorities, and their kind has limits. */
export interface Shape {
  jobs: number;
  tenants: number;
  /** Of each tenant. 0: jobs have none. */
  keys: number;
}

/** Bytes that a job costs. */
export interface Filled {
  /** In the file, or in the memory of Redis. */
  stored: number;
  /** Of the process that has the engine open. */
  resident: number;
}

/** Microseconds of CPU of a claimed job. */
export interface ClaimCost {
  process: number;
  redis: number;
}

export const READS = [
  "the newest 50",
  "50 from the middle",
  "50 of a rare kind",
  "50 of a status",
  "50 of a status that no job has",
  "50 of a batch",
  "a batch and its counts",
  "the usage of the tenant",
  "why a job waits",
] as const;
export type Read = (typeof READS)[number];
