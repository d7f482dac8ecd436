import { useMutation } from "@tanstack/react-query";
import { Inbox } from "lucide-react";
import { Link } from "wouter";
import { pluralize } from "#shared/pluralize.ts";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { useReadOnly } from "#client/app/read-only.ts";
import { Badge } from "#client/app/ui/badge.tsx";
import { ByOther } from "#client/app/ui/by-other.tsx";
import { DecisionButton } from "#client/app/ui/decision-button.tsx";
import { Empty } from "#client/app/ui/empty.tsx";
import { Faces } from "#client/app/ui/faces.tsx";
import { ShareButton } from "#client/app/ui/share-button.tsx";
import { JobList, JobRow } from "#client/app/ui/job-list.tsx";
import { lookOfBatch } from "#client/app/ui/looks.ts";
import { Notice } from "#client/app/ui/notice.tsx";
import { PageHeader } from "#client/app/ui/page-header.tsx";
import { Skeleton } from "#client/app/ui/skeleton.tsx";
import { ProgressBar } from "#client/app/ui/progress-bar.tsx";
import { Age } from "#client/app/ui/time.tsx";
import { useBatch, useJobs, useJobwire } from "#client/lib/react.tsx";
import { type BatchAggregate, isBatchSettled } from "#shared/batch.ts";
import type { Owner } from "#shared/principal.ts";
import { NotFoundPage } from "./not-found-page.tsx";

/** Batches up to this size load all rows, in the order of the file; longer ones are paged. */
const IN_ORDER = 500;

export function BatchPage({ batchId }: { batchId: string }) {
  const { trpc } = useJobwire();
  const { data: batch, error } = useBatch(batchId);
  const readOnly = useReadOnly(error);
  const cancel = useMutation({
    mutationFn: (note: string | undefined) => trpc.batch.cancel.mutate({ batchId, note }),
  });

  if (batch === undefined) {
    return error === null ? <Skeleton rows={5} /> : <NotFoundPage what="batch" error={error} />;
  }
  const title = batch.name ?? "Batch without a name";
  return (
    <>
      <PageHeader
        title={title}
        tab={isBatchSettled(batch) ? title : `${batch.progress}% ${title}`}
        above={
          <p className="mb-1 flex items-center gap-2 text-sm text-muted">
            <Badge status={batch.status} look={lookOfBatch(batch)} />
            <span>
              created <Age at={batch.createdAt} />
              <ByOther record={batch} />
            </span>
          </p>
        }
      >
        <Faces of={{ batchId }} />
        {!readOnly && <ShareButton of={{ batchId }} record={batch} />}
        {!readOnly && !isBatchSettled(batch) && (
          <DecisionButton
            label="Cancel batch"
            danger
            question="Cancel every job of this batch that is not settled?"
            busy={cancel.isPending}
            onDecide={(note) => cancel.mutate(note)}
          />
        )}
      </PageHeader>
      {cancel.error !== null && (
        <Notice tone="bad" title="The batch could not be cancelled">
          {requestErrorMessage(cancel.error)}
        </Notice>
      )}
      <section
        aria-label="Progress of the batch"
        className="mb-8 rounded-2xl border border-line bg-card p-5"
      >
        <div className="mb-2 flex justify-between gap-4 text-sm">
          <p aria-live="polite">{batch.message}</p>
          <p className="font-medium tabular-nums">{batch.progress}%</p>
        </div>
        <ProgressBar
          percent={batch.progress}
          label="Progress of the batch"
          bar={lookOfBatch(batch).bar}
        />
        <Counts batch={batch} />
      </section>
      {!readOnly && <BatchJobs batch={batch} />}
    </>
  );
}

function BatchJobs({ batch }: { batch: BatchAggregate & Owner }) {
  const { batchId, owner } = batch;
  return (
    <>
      {batch.status === "running" && <RunningNow batchId={batchId} owner={owner} />}
      {batch.blocked > 0 && <ToDecide batchId={batchId} count={batch.blocked} />}
      <h2 className="mb-3 text-base font-semibold">
        Jobs{" "}
        <span className="text-sm font-normal text-muted">
          {batch.total > IN_ORDER ? "newest first" : "in the order of the rows"}
        </span>
      </h2>
      <JobList
        batchId={batchId}
        owner={owner}
        inOrder={batch.total <= IN_ORDER}
        empty={
          <Empty Icon={Inbox} title="The batch is empty">
            <p>Its jobs were deleted.</p>
          </Empty>
        }
      />
    </>
  );
}

/** Running jobs, which a long list would hide. */
function RunningNow({ batchId, owner }: { batchId: string; owner: string }) {
  const { data: jobs = [] } = useJobs({ batchId, owner, status: "PROCESSING" });
  if (jobs.length === 0) return null;
  return (
    <section aria-label="Running now" className="mb-8">
      <h2 className="mb-3 text-base font-semibold">Running now</h2>
      <ul className="space-y-2">
        {jobs.toReversed().map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}

function ToDecide({ batchId, count }: { batchId: string; count: number }) {
  return (
    <div className="mb-8">
      <Notice
        tone="warn"
        title={`${pluralize(count, "job")} ${count === 1 ? "needs" : "need"} your decision`}
      >
        Open each to approve it, reject it, or regenerate it.{" "}
        <Link href={`/batches/${batchId}?show=BLOCKED`} className="underline underline-offset-2">
          Show only these
        </Link>
      </Notice>
    </div>
  );
}

function Counts({ batch }: { batch: BatchAggregate }) {
  const counts: [string, number, string][] = [
    ["Jobs", batch.total, ""],
    ["Settled", batch.completed, ""],
    ["Delivered", batch.delivered, "text-good"],
    ["Blocked", batch.blocked, "text-warn"],
    ["Aborted", batch.aborted, "text-bad"],
  ];
  return (
    <dl className="mt-5 grid grid-cols-3 gap-4 sm:grid-cols-5">
      {counts.map(([name, count, ink]) => (
        <div key={name}>
          <dt className="text-xs text-muted">{name}</dt>
          <dd className={`text-xl font-semibold tabular-nums ${count > 0 ? ink : ""}`}>{count}</dd>
        </div>
      ))}
    </dl>
  );
}
