/** Options of a job that its creator may give. What they do is in `docs/job-options.md`. */

/** Those that a schedule gives each of its jobs. */
export interface StandingOptions {
  /** A whole number from 0 to `MAX_PRIORITY`. Default: that of the kind, else 0. */
  priority?: number | undefined;
  /** A job that has not started so long after it could have started is aborted with the code `EXPIRED`. */
  expiresInMs?: number | undefined;
  /** How often it may be started. Default: as the server and its kind say. */
  maxAttempts?: number | undefined;
}

/** Those that a whole batch can have. */
export interface QueueOptions extends StandingOptions {
  /** The job does not start earlier than so long after its creation. */
  delayMs?: number | undefined;
  /** The same as a time, in place of `delayMs`. A text is ISO 8601 in UTC. In the past: at once. */
  runAt?: Date | string | undefined;
}

/** Calls of the same owner, kind and key create one job, as long as it has not started. */
export interface Debounce {
  key: string;
  /** The job starts so long after the newest call. */
  windowMs: number;
  /** It waits no longer than so long after the first call. Default: ten windows. */
  maxWaitMs?: number | undefined;
}

export interface Debounced {
  /** Not together with `delayMs`, `runAt` or `idempotencyKey`. */
  debounce?: Debounce | undefined;
}

/** Of a job whose creator gives it none. */
export const DEFAULT_PRIORITY = 0;

/** Windows that a debounced job waits at most, unless its creator says how long. */
export const DEBOUNCE_WINDOWS = 10;
