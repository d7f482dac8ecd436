/**
 * Runs before each test file. By default `vi.waitFor` checks twenty times and gives up after a second. On a busy machine that
 * second becomes an assertion about time, and on an idle one the pauses between checks dominate the test's duration.
 */
import { vi } from "vitest";

/** Safety net for conditions that never come true; generous for slow machines. */
const TIMEOUT_MS = 120_000;
const INTERVAL_MS = 20;

const { waitFor } = vi;

vi.waitFor = (check, options) =>
  waitFor(check, {
    timeout: TIMEOUT_MS,
    interval: INTERVAL_MS,
    ...(typeof options === "number" ? { timeout: options } : options),
  });
