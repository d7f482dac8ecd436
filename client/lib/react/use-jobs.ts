"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { KindClient } from "#client/lib/kinds-client.ts";
import { dropKnown, mergeFeed, mergeJobs } from "#client/lib/merge.ts";
import type { SummaryOf } from "#shared/api.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { JobSummary } from "#shared/job.ts";
import type { FilterFields, JobFilter } from "#shared/job-filter.ts";
import type { KindTypes } from "#shared/kind-types.ts";
import type { OwnersAsked } from "#shared/owners-asked.ts";
import { useProvided } from "./context.tsx";
import { jobsKey } from "./query-keys.ts";
import { type LiveOptions, UNTIL_ANSWERED } from "./query-options.ts";
import { failed, type LiveResult, resultOf } from "./result.ts";
import { useReadAgain } from "./use-read-again.ts";
import { type Handlers, useStream } from "./use-stream.ts";

/** `owner`, `allOwners`: the jobs of others, for which the caller needs the scope `tenant`. */
export type JobsFilter = JobFilter & OwnersAsked;
export type JobsOptions = Pick<LiveOptions, "enabled" | "gcTime" | "meta" | "retry" | "retryDelay">;

export type JobsResult<Types extends KindTypes = KindTypes> = LiveResult<SummaryOf<Types>[]> & {
  isFetching: boolean;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): void;
  refetch(): void;
};

const NO_CHANGES: ReadonlyMap<string, JobSummary> = new Map();

/** A live list of the jobs of one kind, newest first, with the kind's types. */
export function useJobs<Types extends KindTypes>(
  kind: KindClient<Types>,
  filter?: Omit<JobsFilter, "kind">,
  options?: JobsOptions,
): JobsResult<Types>;
/** A live list of jobs, newest first. */
export function useJobs(filter?: JobsFilter, options?: JobsOptions): JobsResult;
export function useJobs(
  first: object = {},
  second?: JobsFilter | JobsOptions,
  third?: JobsOptions,
): object {
  const [kind, ...rest] = "trpc" in first ? [first, second, third] : [undefined, first, second];
  const [filter, options] = rest as [JobsFilter?, JobsOptions?];
  return useJobsOf(kind as KindClient<KindTypes> | undefined, filter, options);
}

function useJobsOf(
  kind: KindClient<KindTypes> | undefined,
  filter: JobsFilter = {},
  options: JobsOptions = {},
): JobsResult {
  const { trpc } = useProvided().client;
  const { enabled = true, ...pass } = options;
  const { status, batchId, scheduleId, owner, allOwners } = filter;
  const owners = { owner, allOwners };
  const kindName = kind?.name ?? filter.kind;
  const asked = useMemo(
    () => ({ status, kind: kindName, batchId, scheduleId }) satisfies FilterFields,
    [status, kindName, batchId, scheduleId],
  );
  const queryKey = jobsKey({ ...filter, kind: kindName }, kind?.name);
  const onGap = useReadAgain(queryKey);
  const list = useInfiniteQuery({
    queryKey,
    queryFn({ pageParam: cursor }) {
      const { kind: ofKind, ...others } = asked;
      const query = { ...others, ...owners, limit: 50, cursor };
      return kind === undefined
        ? trpc.job.list.query({ ...query, kind: ofKind })
        : kind.trpc.list.query(query);
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    ...UNTIL_ANSWERED,
    // The feed keeps the pages up to date.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnMount: "always",
    ...pass,
    enabled,
  });
  const pages = list.data?.pages ?? [];
  // The feed starts at the position of the first page, so no change is missed.
  const from = pages[0]?.feed;
  const feed = useStream({
    key: queryKey,
    initial: NO_CHANGES,
    reduce: mergeFeed,
    source: from === undefined || !enabled ? undefined : String(from),
    readAt: list.dataUpdatedAt,
    begin: (known) => dropKnown(known, pages),
    open: (handlers: Handlers<FeedEntry>) =>
      trpc.feed.onUpdate.subscribe(
        { ...owners, lastEventId: String(from) },
        { onData: ({ data }) => handlers.onData(onGap(data)), onError: handlers.onError },
      ),
  });
  const jobs = useMemo(
    () => mergeJobs(list.data?.pages ?? [], feed.state, asked),
    [list.data, feed.state, asked],
  );
  const { hasNextPage, isFetchingNextPage } = list;
  const fetchNextPage = () => void list.fetchNextPage();
  return {
    ...resultOf(list.data === undefined ? undefined : jobs, failed(list) ?? feed.error ?? null),
    isFetching: list.isFetching,
    hasNextPage,
    isFetchingNextPage,
    fetchNextPage,
    refetch: () => void list.refetch(),
  };
}
