/** Metrics of the jobs of this process. */
import type { RunnerObserver } from "#server/jobs/runner-observer.ts";
import { createBoundedLabel } from "./bounded-label.ts";
import type { Instruments } from "./instruments.ts";

/** `kinds`: the registered ones. A stored job can be of another. */
export function observeRunner(
  { queueWait, runTime, jobsRecovered }: Instruments,
  kinds: readonly string[],
): RunnerObserver {
  for (const kind of kinds) {
    jobsRecovered.inc({ kind }, 0);
    queueWait.zero({ kind });
  }
  const known = createBoundedLabel(kinds);
  return {
    waited: (kind, seconds) => queueWait.observe({ kind: known(kind) }, seconds),
    recovered: (kind) => jobsRecovered.inc({ kind: known(kind) }),
    ended: (kind, outcome, seconds) => runTime.observe({ kind: known(kind), outcome }, seconds),
  };
}
