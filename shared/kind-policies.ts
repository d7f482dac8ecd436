/** The policies of a kind, as programs see them. */

/** The pauses before the attempts of a job that failed for a moment. */
export interface Backoff {
  /** Before the first retry. */
  firstMs: number;
  /** Each further pause is so many times as long as the one before. */
  factor: number;
  /** No pause is longer. */
  maxMs: number;
  /** 0 to 1: how much of a pause is random, so that jobs which failed together do not return together. */
  jitter: number;
}

export interface RateLimit {
  limit: number;
  perMs: number;
}

/** How many jobs of a kind may run, and start in a time. */
export interface LimitsOfKind {
  /** Of all tenants together. */
  concurrency?: number;
  rate?: RateLimit;
  /** For each key that the kind makes of an input, within a tenant. */
  perKey?: {
    concurrency?: number;
    rate?: RateLimit;
    /** For people: "customer". */ keyName?: string;
  };
}

/** A field that the kind leaves out is as the server's settings say. */
export interface KindPolicies {
  retry?: { maxAttempts?: number; backoff?: Backoff; afterTimeLimit?: boolean };
  /** An attempt that takes longer is ended. Absent: none is. */
  timeLimitMs?: number;
  /** Settled jobs are deleted after so many days; 0: never. */
  retentionDays?: number;
  /** Of jobs that are created without one. */
  priority?: number;
  limits?: LimitsOfKind;
}
