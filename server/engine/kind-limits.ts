/**
 * Limits of kinds, which `claim` of `claiming.ts` keeps, and why a job waits. The numbers of rates are the same on every
 * engine.
 */

/**
 * `limit` starts at once after a pause, and then one each `perMs / limit`: the generic cell rate algorithm (GCRA) with a burst
 * of `limit`. Whole numbers from 1; `limit` is at most `1000 * perMs`.
 */
export interface RateLimit {
  limit: number;
  perMs: number;
}

export interface KeyLimits {
  /** Jobs that run at the same time. A whole number from 1. */
  concurrency?: number | undefined;
  rate?: RateLimit | undefined;
}

/** Those of the kind itself count the jobs of all tenants together. */
export interface KindLimits extends KeyLimits {
  /** Of the jobs of a tenant that have the same `NewJob.key`. They do not concern jobs without a key. */
  perKey?: KeyLimits | undefined;
}

/** By kind. Kinds that are not in it have none. */
export type LimitsOfKinds = ReadonlyMap<string, KindLimits>;

/** `ahead` counts no further. */
export const MAX_COUNTED_AHEAD = 1000;

/** Why a job waits. In `key`, `null` stands for a job without a key. */
export interface Waiting {
  /** `NewJob.key`, by which the limits of keys count it. */
  key: string | null;
  /** Milliseconds to the end of its delay; `null` when it is ready. */
  startsInMs: number | null;
  /**
   * Ready jobs of its tenant, kind and key (or of those without one) that come before it, `MAX_COUNTED_AHEAD` at most. 0 while
   * it is delayed.
   */
  ahead: number;
  /**
   * Jobs that run: of its kind, all tenants together, and of its tenant, kind and key. Where the limits have no `concurrency` of the
   * kind, an engine with `multiProcess` may not count them: `kind` is 0 then.
   */
  running: { kind: number; key: number | null };
  /** Milliseconds, rounded up, until the rates let a job start. 0: now, or there is no such rate. */
  rateInMs: { kind: number; key: number | null };
}

/** A time in whole microseconds, so that sums are exact: when the next job would start if all did at even intervals. */
export type StartsUntil = number;

/** Microseconds, rounded up: a rate is never exceeded. */
export function intervalOf({ limit, perMs }: RateLimit): number {
  return Math.ceil((perMs * 1000) / limit);
}

/** When a job may start, in microseconds. `until` is 0 where none did. */
export function freeAt(rate: RateLimit, until: StartsUntil): number {
  return until - (rate.limit - 1) * intervalOf(rate);
}

/** Milliseconds, as `now`, until a job may start; 0: now. */
export function untilStart(rate: RateLimit, until: StartsUntil, now: number): number {
  return Math.max(0, freeAt(rate, until) - Math.round(now * 1000)) / 1000;
}

/** After the start of a job at `now`, in milliseconds. */
export function afterStart(rate: RateLimit, until: StartsUntil, now: number): StartsUntil {
  return Math.max(until, Math.round(now * 1000)) + intervalOf(rate);
}
