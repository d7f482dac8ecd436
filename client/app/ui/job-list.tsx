/** A live list of jobs with a filter by status, as the jobs page and a batch show it. */
import { memo, type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useJobs } from "#client/lib/react.tsx";
import { JobStatus, type JobSummary } from "#shared/job.ts";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";
import { Skeleton } from "./skeleton.tsx";
import { ProgressBar, STATUS_LOOK, StatusBadge } from "./status.tsx";
import { Age } from "./time.tsx";

export function JobList(props: { batchId?: string; empty: ReactNode }) {
  const [status, setStatus] = useState<JobStatus | undefined>();
  const list = useJobs({ status, batchId: props.batchId });

  return (
    <section aria-label="Jobs">
      <div role="group" aria-label="Show" className="mb-4 flex flex-wrap gap-1">
        <FilterButton active={status === undefined} onClick={() => setStatus(undefined)}>
          All
        </FilterButton>
        {JobStatus.options.map((option) => (
          <FilterButton key={option} active={status === option} onClick={() => setStatus(option)}>
            {STATUS_LOOK[option].word}
          </FilterButton>
        ))}
      </div>
      {list.error !== undefined && (
        <Notice tone="bad" title="The list could not be loaded">
          {list.error}
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
      className={`rounded-full px-3 py-1 text-sm transition-colors ${
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
const JobRow = memo(function JobRow({ job }: { job: JobSummary }) {
  const { bar } = STATUS_LOOK[job.status];
  return (
    <li className="[contain-intrinsic-size:auto_5rem] [content-visibility:auto]">
      <Link
        href={`/jobs/${job.id}`}
        className="grid gap-x-4 gap-y-2 rounded-xl border border-line bg-card px-4 py-3 transition-colors hover:border-accent sm:grid-cols-[1fr_9rem_7.5rem]"
      >
        <span className="min-w-0">
          <span className="block truncate font-medium">{job.title}</span>
          <span className="block truncate text-sm text-muted">{job.message}</span>
        </span>
        <span className="flex items-center gap-2 text-sm tabular-nums">
          <ProgressBar percent={job.progress} label={`Progress of ${job.title}`} bar={bar} thin />
          <span className="w-10 text-right text-muted">{job.progress}%</span>
        </span>
        <span className="flex items-center justify-between gap-2 sm:flex-col sm:items-end sm:gap-1">
          <StatusBadge status={job.status} />
          <span className="text-xs text-muted">
            <Age at={job.createdAt} />
          </span>
        </span>
      </Link>
    </li>
  );
});
