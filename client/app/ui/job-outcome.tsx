/** How a job ended, and the possible next steps. */
import { endingOf } from "#client/app/job-ending.ts";
import type { KindView } from "#client/app/kind-parts.ts";
import type { Job } from "#shared/job.ts";
import { isDecidedHere } from "#shared/outside.ts";
import { useReadOnly } from "#client/app/read-only.ts";
import { Breakable } from "./breakable.tsx";
import { NewJobLink } from "./job-input.tsx";
import { Notice } from "./notice.tsx";

/** `advice`: a sentence that helps to decide about the output. */
export function JobOutcome(props: { job: Job; view: KindView; advice: string | undefined }) {
  const { job, view, advice } = props;
  const readOnly = useReadOnly() || !isDecidedHere(job);
  if (job.status === "BLOCKED" && readOnly) {
    return <Notice tone="warn" title={`This ${view.noun} waits for a decision`} />;
  }
  if (job.status === "BLOCKED") {
    return (
      <Notice tone="warn" title={`This ${view.noun} needs your decision`}>
        <p>
          Approve it as it is, reject it, or regenerate it.
          {advice !== undefined && ` ${advice}`}
        </p>
      </Notice>
    );
  }
  if (job.status !== "ABORTED") return null;
  const { word, why } = endingOf(job);
  const isLasting = job.error !== null && view.isLasting?.(job.error) === true;
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
  if (word === "Expired") {
    return (
      <Notice tone="info" title="This job expired">
        {reason}
        {!readOnly && <p>You can retry it: it then runs as soon as it can.</p>}
      </Notice>
    );
  }
  if (word === "Removed") {
    return (
      <Notice tone="info" title="This job was removed from its queue">
        {reason}
      </Notice>
    );
  }
  if (word === "Rejected") {
    return (
      <Notice tone="info" title={`This ${view.noun} was rejected`}>
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
        (isLasting ? (
          <>
            <p>With the same input it will most likely fail again.</p>
            <NewJobLink job={job} view={view}>
              Correct the input in a new job
            </NewJobLink>
          </>
        ) : (
          <p>The cause may be temporary. A retry runs the job again with the same input.</p>
        ))}
    </Notice>
  );
}
