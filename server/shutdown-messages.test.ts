import { expect, test } from "vitest";
import { stoppedMessage, stoppingMessage } from "./shutdown-messages.ts";

test("the message at a signal has the waiting time, the number of jobs, and the way to stop at once", () => {
  expect(stoppingMessage({ signal: "SIGINT", jobs: 2, graceMs: 10_000 })).toBe(
    "stopping: waiting up to 10 s for 2 jobs; press Ctrl-C again to stop now",
  );
  expect(stoppingMessage({ signal: "SIGTERM", jobs: 1, graceMs: 1500 })).toBe(
    "stopping: waiting up to 1.5 s for 1 job; send SIGTERM again to stop now",
  );
  expect(stoppingMessage({ signal: "SIGINT", jobs: 0, graceMs: 10_000 })).toBe("stopping");
});

test("the message at the end reports the outcome of the jobs", () => {
  expect(stoppedMessage({ finished: 0, givenBack: 0 })).toBe("stopped");
  expect(stoppedMessage({ finished: 2, givenBack: 0 })).toBe("stopped: 2 jobs finished");
  expect(stoppedMessage({ finished: 1, givenBack: 1 })).toBe(
    "stopped: 1 job finished, 1 job released, to continue after the next start",
  );
});
