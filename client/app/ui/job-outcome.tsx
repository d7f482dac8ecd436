/** How a job ended and the possible next steps, where the article itself does not show them. */
import { endingOf } from "#client/app/job-ending.ts";
import type { Job } from "#shared/job.ts";
import { useReadOnly } from "#client/app/read-only.ts";
import { Breakable } from "./breakable.tsx";
import { NewJobLink } from "./job-input.tsx";
import { Notice } from "./notice.tsx";

export function JobOutcome({ job, failedChecks }: { job: Job; failedChecks: boolean }) {
  const what = job.kind === "article" ? "article" : "job";
  const readOnly = useReadOnly();
  if (job.status === "BLOCKED" && readOnly) {
    return <Notice tone="warn" title={`This ${what} waits for a decision`} />;
  }
  if (job.status === "BLOCKED") {
    return (
      <Notice tone="warn" title={`This ${what} needs your decision`}>
        <p>
          Approve it as it is, reject it, or regenerate it.
          {failedChecks && " The quality report below names the failed checks."}
        </p>
      </Notice>
    );
  }
  if (job.status !== "ABORTED") return null;
  const { word, why, lasting } = endingOf(job);
  const reason = why !== "" && (
    <p>
      <Breakable text={why} />
    </p>
  );
  if (word === "Cancelled") {
    return (
      <Notice tone="info" title="This job was cancelled">
        {reason}
        {!readOnly && (
          <p>You can retry it: it runs again from the beginning with the same input.</p>
        )}
      </Notice>
    );
  }
  if (word === "Rejected") {
    return (
      <Notice tone="info" title={`This ${what} was rejected`}>
        {reason}
        <p>
          It is not delivered.
          {!readOnly && " You can retry the job: it runs again from the beginning."}
        </p>
      </Notice>
    );
  }
  return (
    <Notice tone="bad" title="This job failed">
      {reason}
      {!readOnly &&
        (lasting ? (
          <>
            <p>With the same input it will most likely fail again.</p>
            <NewJobLink kind={job.kind} input={job.input}>
              Correct the input in a new job
            </NewJobLink>
          </>
        ) : (
          <p>The cause may be temporary. A retry runs the job again with the same input.</p>
        ))}
    </Notice>
  );
}
