/** What a server says while it stops, so that nobody takes its patience for a hang. */
import { counted } from "#shared/counted.ts";
import type { Stopped } from "./jobs/runner.ts";

const AGAIN = { SIGINT: "press Ctrl-C again", SIGTERM: "send SIGTERM again" } as const;

export function stoppingLine(stop: {
  signal: keyof typeof AGAIN;
  jobs: number;
  graceMs: number;
}): string {
  if (stop.jobs === 0) return "stopping";
  const wait = `waiting up to ${stop.graceMs / 1000} s for ${counted(stop.jobs, "job")}`;
  return `stopping: ${wait}; ${AGAIN[stop.signal]} to stop now`;
}

export function stoppedLine({ finished, givenBack }: Stopped): string {
  if (finished + givenBack === 0) return "stopped";
  const parts = [];
  if (finished > 0) parts.push(`${counted(finished, "job")} finished`);
  if (givenBack > 0) {
    parts.push(`${counted(givenBack, "job")} given back, to go on after the next start`);
  }
  return `stopped: ${parts.join(", ")}`;
}
