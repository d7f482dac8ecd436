/** The clock of the machine, with the timers of Node. */
import type { Clock } from "#shared/clock.ts";

export const SYSTEM_CLOCK: Clock = {
  now: () => new Date(),
  steady: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms).unref();
    return () => clearInterval(timer);
  },
  hold: () => undefined,
};
