/** A job queue that runs jobs which do nothing. */
export interface Queue {
  /** Creates so many jobs in one call. Resolves to milliseconds, once the last is delivered. */
  run(input: { jobs: number }): Promise<number>;
}

/** Jobs that run at the same time. */
export const CONCURRENCY = 50;
