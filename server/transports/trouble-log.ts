/** Logs errors that hit many callers at the same time: at most once a second, with the number of repeats. */
import type { Logger } from "pino";
import { asError } from "#shared/errors.ts";

const EVERY_MS = 1000;

/**
 * Logs the whole `error`, which callers do not receive because it may contain addresses of other servers. `what` is one of a
 * few texts; each is rate-limited separately.
 */
export type TellTrouble = (error: unknown, what: string) => void;

/** `clock` returns milliseconds and is monotonic. */
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
