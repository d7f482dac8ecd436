/** Why a job waits. No live region: it is read anew every few seconds. */
import { useWaiting } from "#client/lib/react.tsx";
import type { Job } from "#shared/job.ts";

export function WaitingLine({ job }: { job: Job }) {
  const waiting = useWaiting(job);
  if (waiting === null) return null;
  return (
    <p data-testid="waiting" className="mt-2 text-sm text-muted">
      {waiting.message}.
    </p>
  );
}
