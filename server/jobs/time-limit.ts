/** Ends attempts that run longer than their kind allows. */
import { type AnyKind, Failure, Transient } from "#server/kinds/define.ts";
import type { Clock } from "#shared/clock.ts";

const TIME_LIMIT = "TIME_LIMIT";

/**
 * Calls `end` when the attempt has run for as long as it may, with the error that ends it: `Transient` where the kind wants a
 * retry. Returns a function that stops the time.
 */
export function startTimeLimit(
  { name, timeLimitMs: ms, retry }: AnyKind,
  timer: Pick<Clock, "after">,
  end: (error: Failure) => void,
): () => void {
  if (ms === undefined) return () => {};
  const limit = ms < 1000 ? `${ms} ms` : `${(ms / 1000).toLocaleString("en")} s`;
  const message = `It took longer than ${limit}, the time limit of "${name}"`;
  return timer.after(ms, () => {
    const isTransient = retry?.afterTimeLimit === true;
    end(isTransient ? new Transient(TIME_LIMIT, message) : new Failure(TIME_LIMIT, message));
  });
}
