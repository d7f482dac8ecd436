/**
 * Runs before each test file: `vi.waitFor` gives up after a second and looks twenty times until then. On a busy machine
 * that second is an assertion about time, and on an idle one the looks are what a test waits for.
 */
import { vi } from "vitest";

/** Safety net for what never comes true; generous for slow machines. */
const TIMEOUT_MS = 20_000;
const INTERVAL_MS = 20;

const { waitFor } = vi;

vi.waitFor = (check, options) =>
  waitFor(check, {
    timeout: TIMEOUT_MS,
    interval: INTERVAL_MS,
    ...(typeof options === "number" ? { timeout: options } : options),
  });
