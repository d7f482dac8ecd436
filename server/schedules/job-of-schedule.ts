/** The part of a request for a job that is the same for all jobs of a schedule. */
import type { ScheduledRequest } from "#server/jobs/scheduled-request.ts";
import type { Schedule } from "#shared/schedule.ts";

export function jobOf(schedule: Schedule): ScheduledRequest {
  const { id: scheduleId, kind, input, title, priority, expiresInMs, maxAttempts } = schedule;
  return {
    kind,
    input,
    title,
    scheduleId,
    priority: priority ?? undefined,
    expiresInMs: expiresInMs ?? undefined,
    maxAttempts: maxAttempts ?? undefined,
  };
}
