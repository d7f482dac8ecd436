/** The time that a job waits for, in the person's time zone, and the options that its creator gave. */
import type { Job } from "#shared/job.ts";
import { Moment } from "./time.tsx";

export function JobTimes({ job }: { job: Job }) {
  const { startsAt, expiresAt, priority, maxAttempts } = job;
  return (
    <>
      {startsAt != null && (
        <span>
          starts <Moment at={startsAt} />
        </span>
      )}
      {expiresAt != null && (
        <span>
          expires <Moment at={expiresAt} />
        </span>
      )}
      {priority > 0 && <span>priority {priority}</span>}
      {maxAttempts != null && (
        <span>
          at most {maxAttempts} {maxAttempts === 1 ? "attempt" : "attempts"}
        </span>
      )}
    </>
  );
}
