/**
 * A live list of jobs with a filter by status, for the jobs page and a batch. The filter is part of the address, so that
 * it survives going back from a job, and other pages can link to it.
 */
import { memo, type ReactNode, useEffect, useEffectEvent } from "react";
import { useSearchParams } from "wouter";
import { useJobs } from "#client/lib/react.tsx";
import { useOtherOwner } from "#client/app/use-owners.ts";
import { JOB_STATUSES, type JobStatus, type JobSummary } from "#shared/job.ts";
import type { OwnersAsked } from "#shared/owners-asked.ts";
import { ListRow } from "./list-row.tsx";
import { JOB_LOOK, lookOfJob } from "./looks.ts";
import { LoadMore } from "./load-more.tsx";
import { Notice } from "./notice.tsx";
import { Skeleton } from "./skeleton.tsx";

/** `inOrder` loads all jobs, oldest first, and is for short lists; otherwise newest first, page by page. */
export function JobList(
  props: OwnersAsked & {
    batchId?: string;
    scheduleId?: string | undefined;
    inOrder?: boolean;
    empty: ReactNode;
  },
) {
  const { batchId, scheduleId, owner, allOwners, inOrder = false } = props;
  const [params, setParams] = useSearchParams();
  const shown = params.get("show");
  const status = JOB_STATUSES.find((each) => each === shown);
  const list = useJobs({ status, batchId, scheduleId, owner, allOwners });
  const lacksPages = inOrder && list.hasNextPage && list.error === null;
  const isLoading = list.isPending || lacksPages;
  const known = list.data ?? [];
  const jobs = inOrder ? known.toReversed() : known;

  const loadMore = useEffectEvent(list.fetchNextPage);
  const { isFetchingNextPage } = list;
  useEffect(() => {
    if (lacksPages && !isFetchingNextPage) loadMore();
  }, [lacksPages, isFetchingNextPage]);

  function show(wanted: JobStatus | undefined) {
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (wanted === undefined) after.delete("show");
        else after.set("show", wanted);
        return after;
      },
      { replace: true },
    );
  }

  return (
    <section aria-label="Jobs">
      <div
        role="group"
        aria-label="Show"
        className="-mx-4 mb-4 flex gap-1 overflow-x-auto px-4 py-1 sm:mx-0 sm:px-0"
      >
        <FilterButton active={status === undefined} onClick={() => show(undefined)}>
          All
        </FilterButton>
        {JOB_STATUSES.map((option) => (
          <FilterButton key={option} active={status === option} onClick={() => show(option)}>
            {JOB_LOOK[option].word}
          </FilterButton>
        ))}
      </div>
      {list.error !== null && (
        <Notice tone="bad" title="The list could not be loaded">
          {list.error.code === undefined ? "The server cannot be reached." : list.error.message}
        </Notice>
      )}
      {isLoading && list.error === null && <Skeleton rows={5} />}
      {!isLoading &&
        list.error === null &&
        jobs.length === 0 &&
        (status === undefined ? props.empty : <NoneLikeThis />)}
      <ul className="space-y-2">
        {!isLoading && jobs.map((job) => <JobRow key={job.id} job={job} />)}
      </ul>
      {list.hasNextPage && !isLoading && (
        <LoadMore isLoading={isFetchingNextPage} onLoad={list.fetchNextPage} />
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

/** Rerenders only when its job changed. */
export const JobRow = memo(function JobRow({ job }: { job: JobSummary }) {
  const { id, title, message, progress, status, createdAt } = job;
  return (
    <ListRow
      href={`/jobs/${id}`}
      title={title}
      owner={useOtherOwner(job)}
      detail={message}
      progress={progress}
      status={status}
      look={lookOfJob(status)}
      createdAt={createdAt}
    />
  );
});
