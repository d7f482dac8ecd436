/** A job queue with a kind that does nothing. */
export interface Queue {
  /** Creates the jobs in one call. Resolves to the milliseconds until the last is delivered. */
  run(input: { jobs: number }): Promise<number>;
}

/** Jobs that run concurrently. */
export const CONCURRENCY = 50;
