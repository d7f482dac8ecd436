/** Ends attempts that run longer than their kind allows. */
import { type AnyKind, Failure, Transient } from "#server/kinds/define.ts";
import type { Clock } from "#shared/clock.ts";
import type { JobSummary } from "#shared/job.ts";

const TIME_LIMIT = "TIME_LIMIT";

/**
 * Calls `end` when the attempt has run for as long as it may, with the error that ends it: `Transient` where the kind wants a
 * retry. Returns a function that stops the time.
 */
export function startTimeLimit(
  kind: AnyKind,
  timer: Pick<Clock, "after">,
  end: (error: Failure) => void,
): () => void {
  const { timeLimitMs: ms } = kind;
  return ms === undefined ? () => {} : timer.after(ms, () => end(overTime(kind, ms)));
}

/** The error of an attempt that ran longer than `ms`. */
function overTime({ name, retry }: AnyKind, ms: number): Failure {
  const limit = ms < 1000 ? `${ms} ms` : `${(ms / 1000).toLocaleString("en")} s`;
  const message = `It took longer than ${limit}, the time limit of "${name}"`;
  const isTransient = retry?.afterTimeLimit === true;
  return isTransient ? new Transient(TIME_LIMIT, message) : new Failure(TIME_LIMIT, message);
}

/**
 * Milliseconds that the attempt of a worker elsewhere may still take, `undefined` without a limit; or the error that ends it. By
 * the machine's clock: no timer of this process measures it.
 */
export function timeLeft(
  kind: AnyKind,
  { startedAt }: Pick<JobSummary, "startedAt">,
  now: Date,
): number | undefined | Failure {
  const { timeLimitMs: ms } = kind;
  if (ms === undefined || startedAt === null) return undefined;
  const left = startedAt.getTime() + ms - now.getTime();
  return left > 0 ? left : overTime(kind, ms);
}
