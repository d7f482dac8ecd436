import type { Actor } from "./actor.ts";
import { eventOf, type JobEvent, type JobEventType } from "./events.ts";
import type { Job } from "./job.ts";

/** The event that brought the job into its current state. */
export function newestEvent(
  job: Job,
  type: JobEventType,
  at: Date,
  actor: Actor | undefined,
): JobEvent {
  return eventOf(type, {
    jobId: job.id,
    seq: job.version,
    at,
    attempt: job.attempt,
    progress: job.progress,
    message: job.message,
    details: job.details,
    actor,
  });
}
