/** Why a job waits, for programs and for people. */
import { pluralize } from "./pluralize.ts";

/** Beyond it, `ahead` is a lower bound. */
export const MOST_AHEAD = 1000;

interface Queued {
  /** Jobs of its tenant and kind, and of its key where it has one, that come before it. At most `MOST_AHEAD`. */
  ahead: number;
  /** One sentence, without a stop at its end. */
  message: string;
}

/** It may start when a worker is free, or, as the message says then, when a pause ends. */
export interface WaitsForTurn extends Queued {
  reason: "queued";
}

/** It may not start before: it was created for later, or has failed and is retried. */
export interface WaitsForTime extends Queued {
  reason: "delayed";
  startsInMs: number;
}

/** The jobs that a limit counts together: those of its kind (of all tenants), or of its key. */
export type Counted = { of: "kind"; key?: undefined; keyName?: undefined } | CountedByKey;

export interface CountedByKey {
  of: "key";
  /** That which the kind makes of the input. */
  key: string;
  /** Its name for people, where the kind gives one: "customer". */
  keyName?: string | undefined;
}

/** As many have started as may in this time. */
export type WaitsForRate = Queued & { reason: "rate"; startsInMs: number } & Counted;

/** As many run as may. */
export type WaitsForOthers = Queued & { reason: "concurrency"; limit: number } & Counted;

export type JobWaiting = WaitsForTurn | WaitsForTime | WaitsForRate | WaitsForOthers;

/** How a sentence goes on about the jobs that come before. */
export function aheadOf(ahead: number): string {
  if (ahead === 0) return "";
  const number =
    ahead >= MOST_AHEAD
      ? `${MOST_AHEAD.toLocaleString("en")} or more jobs`
      : pluralize(ahead, "job");
  return `${number} ${ahead === 1 ? "is" : "are"} before it`;
}

/** A time to wait, rounded up, so that it is never over before. */
export function durationOf(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.ceil(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.ceil(hours / 24)} days`;
}
