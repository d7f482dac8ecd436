/** Messages for people during a shutdown, so that a server that waits for jobs does not look hung. */
import { pluralize } from "#shared/pluralize.ts";
import type { Stopped } from "./jobs/runner.ts";

const AGAIN = { SIGINT: "press Ctrl-C again", SIGTERM: "send SIGTERM again" } as const;

export function stoppingMessage(stop: {
  signal: keyof typeof AGAIN;
  jobs: number;
  graceMs: number;
}): string {
  if (stop.jobs === 0) return "stopping";
  const wait = `waiting up to ${stop.graceMs / 1000} s for ${pluralize(stop.jobs, "job")}`;
  return `stopping: ${wait}; ${AGAIN[stop.signal]} to stop now`;
}

export function stoppedMessage({ finished, givenBack }: Stopped): string {
  if (finished + givenBack === 0) return "stopped";
  const parts = [];
  if (finished > 0) parts.push(`${pluralize(finished, "job")} finished`);
  if (givenBack > 0) {
    parts.push(`${pluralize(givenBack, "job")} released, to continue after the next start`);
  }
  return `stopped: ${parts.join(", ")}`;
}
