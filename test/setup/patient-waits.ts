/**
 * Runs before each test file. By default `vi.waitFor` checks twenty times a second and gives up after one. On a busy machine
 * that second becomes an assertion about time. And most checks ask a server or a browser, or build an error that shows a long
 * difference: at a fixed pace they would take more of the processor than what they wait for. So the pauses grow with the wait.
 */
import { vi } from "vitest";

/** Safety net for conditions that never come true; generous for slow machines. */
const TIMEOUT_MS = 120_000;
/** The first pauses. */
const INTERVAL_MS = 20;
/** A wait ends at most a tenth late, and never by more than this. */
const LATE = 0.1;
const MAX_PAUSE_MS = 150;

// Those of the machine, also where a test replaces them later.
const { setTimeout, clearTimeout, performance } = globalThis;

vi.waitFor = async (check, options) => {
  const { timeout = TIMEOUT_MS, interval = INTERVAL_MS } =
    typeof options === "number" ? { timeout: options } : (options ?? {});
  const begun = performance.now();
  const over = Promise.withResolvers<never>();
  let isOver = false;
  let lastError: unknown = new Error("The check has not ended in time.");
  const limit = setTimeout(() => {
    isOver = true;
    over.reject(lastError);
  }, timeout);

  async function repeat() {
    for (;;) {
      // As vitest does: a test that replaced the timers waits for what they call.
      if (vi.isFakeTimers()) vi.advanceTimersByTime(interval);
      try {
        return await check();
      } catch (error) {
        lastError = error;
      }
      if (isOver) throw lastError;
      const growing = Math.min((performance.now() - begun) * LATE, MAX_PAUSE_MS);
      const pause = vi.isFakeTimers() ? interval : Math.max(interval, growing);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  try {
    return await Promise.race([repeat(), over.promise]);
  } finally {
    clearTimeout(limit);
  }
};
