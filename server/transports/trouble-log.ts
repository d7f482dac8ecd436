/** Logs trouble that many callers can meet at the same time: at most once a second, with the number of repeats. */
import type { Logger } from "pino";
import { asError } from "#shared/errors.ts";

const EVERY_MS = 1000;

/**
 * Logs `error` whole; callers do not learn where data or other servers are. `what` is one of a few texts, each limited by
 * itself.
 */
export type TellTrouble = (error: unknown, what: string) => void;

/** `clock`: milliseconds, and never goes back. */
export function createTroubleLog(
  log: Pick<Logger, "warn">,
  clock: () => number = () => performance.now(),
): TellTrouble {
  const told = new Map<string, { until: number; untold: number }>();
  return (error, what) => {
    const now = clock();
    const last = told.get(what);
    if (last !== undefined && now < last.until) return void (last.untold += 1);
    told.set(what, { until: now + EVERY_MS, untold: 0 });
    log.warn({ err: asError(error), untold: last?.untold ?? 0 }, what);
  };
}
