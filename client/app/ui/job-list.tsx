/** A live list of jobs with a filter by status, as the jobs page and a batch show it. */
import { memo, type ReactNode, useState } from "react";
import { useJobs } from "#client/lib/react.tsx";
import { JobStatus, type JobSummary } from "#shared/job.ts";
import { Button } from "./button.tsx";
import { ListRow } from "./list-row.tsx";
import { JOB_LOOK } from "./looks.ts";
import { Notice } from "./notice.tsx";
import { Skeleton } from "./skeleton.tsx";

export function JobList(props: { batchId?: string; empty: ReactNode }) {
  const [status, setStatus] = useState<JobStatus | undefined>();
  const list = useJobs({ status, batchId: props.batchId });

  return (
    <section aria-label="Jobs">
      <div
        role="group"
        aria-label="Show"
        className="-mx-4 mb-4 flex gap-1 overflow-x-auto px-4 py-1 sm:mx-0 sm:px-0"
      >
        <FilterButton active={status === undefined} onClick={() => setStatus(undefined)}>
          All
        </FilterButton>
        {JobStatus.options.map((option) => (
          <FilterButton key={option} active={status === option} onClick={() => setStatus(option)}>
            {JOB_LOOK[option].word}
          </FilterButton>
        ))}
      </div>
      {list.error !== undefined && (
        <Notice tone="bad" title="The list could not be loaded">
          {list.error.code === undefined ? "The server cannot be reached." : list.error.message}
        </Notice>
      )}
      {list.isLoading && list.error === undefined && <Skeleton rows={5} />}
      {!list.isLoading &&
        list.jobs.length === 0 &&
        (status === undefined ? props.empty : <NoneLikeThis />)}
      <ul className="space-y-2">
        {list.jobs.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
      {list.hasMore && (
        <div className="mt-4 text-center">
          <Button onClick={list.loadMore} disabled={list.isLoadingMore}>
            {list.isLoadingMore ? "Loading…" : "Load more"}
          </Button>
        </div>
      )}
    </section>
  );
}

function FilterButton(props: { active: boolean; onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      aria-pressed={props.active}
      onClick={props.onClick}
      className={`shrink-0 rounded-full px-3 py-1 text-sm transition-colors ${
        props.active ? "bg-ink text-page" : "text-muted hover:bg-sunken hover:text-ink"
      }`}
    >
      {props.children}
    </button>
  );
}

function NoneLikeThis() {
  return <p className="py-12 text-center text-muted">No job has this status now.</p>;
}

/** Drawn again only when its job changed. */
export const JobRow = memo(function JobRow({ job }: { job: JobSummary }) {
  const { id, title, message, progress, status, createdAt } = job;
  return (
    <ListRow
      href={`/jobs/${id}`}
      title={title}
      detail={message}
      progress={progress}
      status={status}
      look={JOB_LOOK[status]}
      createdAt={createdAt}
    />
  );
});
