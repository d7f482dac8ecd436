/** The time before which a new job does not start. `null`: nothing delays it. */
import type { NewJob } from "./lifecycle.ts";

type Delays = Pick<NewJob, "startsAt" | "debounce">;

export function firstStart({ startsAt, debounce }: Delays, at: Date): Date | null {
  if (debounce !== undefined) return new Date(at.getTime() + debounce.windowMs);
  return startsAt !== undefined && startsAt > at ? startsAt : null;
}
