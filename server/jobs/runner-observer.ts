/** A runner reports its attempts to it. */
import type { Claim } from "#server/engine/contract.ts";
import type { Ending } from "./retry.ts";

/**
 * How an attempt ended. `retried`: it failed, and the job runs again. `released`: the server stops, or progress could not be
 * stored, and the job runs again. `lost`: the job was cancelled or deleted, or another runner has it. `unstored`: its end
 * could not be stored, so the job runs again once the lease ends.
 */
export const ATTEMPT_OUTCOMES = [
  "delivered",
  "blocked",
  "aborted",
  "retried",
  "released",
  "lost",
  "unstored",
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** `kind` is that of the stored job, which may be registered no more. */
export interface RunnerObserver {
  /** A claim started the job for the first time, `seconds` after its creation. */
  waited(kind: string, seconds: number): void;
  /** A claim found the job without its runner, which died. */
  recovered(kind: string): void;
  /** An attempt that this runner started is over: its end is stored, and its code has returned or was given up. */
  ended(kind: string, outcome: AttemptOutcome, seconds: number): void;
}

export function outcomeOf(ending: Ending | undefined): AttemptOutcome {
  switch (ending?.action) {
    case undefined:
      return "lost";
    case "deliver":
      return "delivered";
    case "block":
      return "blocked";
    case "fail":
      return "aborted";
    case "release":
      return ending.counts ? "retried" : "released";
  }
}

/** `clock`: milliseconds, and never goes back. Returns what reports the end of the attempt. */
export function observeClaim(
  { job, started }: Claim,
  observer: RunnerObserver | undefined,
  clock: () => number,
): (outcome: AttemptOutcome) => void {
  if (observer === undefined) return () => {};
  if (started === null) {
    observer.recovered(job.kind);
    return () => {};
  }
  if (job.attempt === 1) {
    // The machine's clock may have been set back meanwhile.
    const ms = Math.max(0, started.at.getTime() - job.createdAt.getTime());
    observer.waited(job.kind, ms / 1000);
  }
  const begin = clock();
  return (outcome) => observer.ended(job.kind, outcome, (clock() - begin) / 1000);
}
