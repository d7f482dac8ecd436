/** React hooks over the typed client. Each hook returns the newest known state. */
import { skipToken, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useEffectEvent,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import type { BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { isSettled, type JobSummary } from "#shared/job.ts";
import type { OwnersAsked } from "#shared/owners-asked.ts";
import { type Failed, failureOf, isFinal, type JobwireClient, waitAfter } from "./client.ts";
import type { Connection } from "./connection.ts";
import {
  currentBatch,
  currentJob,
  type Draft,
  dropKnown,
  type JobFilter,
  mergeBatch,
  mergeDraft,
  mergeEvents,
  mergeFeed,
  mergeJobs,
} from "./merge.ts";

const Client = createContext<JobwireClient | undefined>(undefined);

export function JobwireProvider(props: { client: JobwireClient; children: ReactNode }) {
  const { client } = props;
  useEffect(() => client.follow(), [client]);
  return <Client value={client}>{props.children}</Client>;
}

export function useJobwire(): JobwireClient {
  const client = useContext(Client);
  if (client === undefined) throw new Error("useJobwire needs a JobwireProvider around it.");
  return client;
}

export function useConnection(): Connection {
  const { connection } = useJobwire();
  return useSyncExternalStore(connection.subscribe, connection.get);
}

/** Retries until the server answers; only a final error of the server's is an error. */
export const UNTIL_ANSWERED = {
  retry: (_failures: number, error: Error) => !isFinal(error),
  retryDelay: (failures: number, error: Error) => waitAfter(error, failures),
} as const;

interface Handlers<T> {
  onData: (value: T) => void;
  onError: (error: unknown) => void;
}

interface StreamOptions<S, T> {
  /** Key of the state in the query cache. */
  key: string;
  initial: S;
  reduce: (state: S, values: readonly T[]) => S;
  /** Identifies the subscription; a change reopens it, and `undefined` closes it. */
  source: string | undefined;
  open: (handlers: Handlers<T>, state: S) => { unsubscribe: () => void };
}

const failed = ({ error }: { error: unknown }) => (error === null ? undefined : failureOf(error));

const FRAME_MS = 16;

/**
 * Reduces a subscription to a state. The state lives in the query cache: a component that mounts again starts from the
 * last known state, and the subscription resumes there. Values that arrive within one frame of the screen are rendered
 * together, so a busy stream costs one render per frame; a timer instead of `requestAnimationFrame` also serves hidden
 * tabs. `initial` and `reduce` must not change between renders.
 */
function useStream<S, T>(options: StreamOptions<S, T>): { state: S; error: Failed | undefined } {
  const { key, initial, reduce, source } = options;
  const client = useJobwire();
  const cache = useQueryClient();
  const { data } = useQuery<S>({
    queryKey: liveKey(key),
    queryFn: skipToken,
    initialData: () => initial,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  const [failure, setFailure] = useState<Failed>();
  const connect = useEffectEvent(options.open);

  useEffect(() => {
    if (source === undefined) return;
    const known = () => cache.getQueryData<S>(liveKey(key)) ?? initial;
    let waiting: T[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      clearTimeout(timer);
      timer = undefined;
      if (waiting.length === 0) return;
      const values = waiting;
      waiting = [];
      cache.setQueryData<S>(liveKey(key), reduce(known(), values));
    };
    const subscription = connect(
      {
        onData(value) {
          waiting.push(value);
          timer ??= setTimeout(flush, FRAME_MS);
        },
        onError(error) {
          flush();
          setFailure(failureOf(error));
        },
      },
      known(),
    );
    return () => {
      flush();
      subscription.unsubscribe();
      setFailure(undefined);
    };
  }, [client, cache, key, initial, reduce, source]);

  return { state: data ?? initial, error: failure };
}

const liveKey = (key: string) => ["jobwire", "live", key] as const;

/** Reads a query again after each gap, because data from before a gap may be outdated. */
function useReadAgain(queryKey: readonly string[]) {
  const cache = useQueryClient();
  return <T extends { gap?: true | undefined }>(data: T): T => {
    if (data.gap === true && cache.isFetching({ queryKey }) === 0) {
      void cache.invalidateQueries({ queryKey });
    }
    return data;
  };
}

const NO_EVENTS: JobEvent[] = [];

/** A job, its log, and its current state. Stays subscribed after the job settled: it may be retried or approved. */
export function useJob(jobId: string) {
  const { trpc } = useJobwire();
  const queryKey = ["jobwire", "job", jobId];
  const onGap = useReadAgain(queryKey);
  const query = useQuery({
    queryKey,
    queryFn: () => trpc.job.get.query({ jobId }),
    ...UNTIL_ANSWERED,
  });
  const log = useStream({
    key: `job ${jobId}`,
    initial: NO_EVENTS,
    reduce: mergeEvents,
    source: jobId,
    open: (handlers: Handlers<JobEvent>, known) =>
      trpc.job.onUpdate.subscribe(
        { jobId, lastEventId: String(known.at(-1)?.seq ?? 0), follow: true },
        { onData: ({ data }) => handlers.onData(onGap(data)), onError: handlers.onError },
      ),
  });
  const newest = log.state.at(-1);
  const { data: record, refetch } = query;

  // The log has no output, so the record is read once the job has settled.
  const settledAt = newest !== undefined && isSettled(newest.status) ? newest.seq : undefined;
  useEffect(() => {
    if (settledAt !== undefined && record !== undefined && record.version < settledAt)
      void refetch();
  }, [settledAt, record, refetch]);

  const job = useMemo(
    () => (record === undefined ? undefined : currentJob(record, log.state)),
    [record, log.state],
  );
  return { job, events: log.state, error: failed(query) ?? log.error };
}

const NO_DRAFT: Draft = { attempt: 0, text: "" };

/** The draft so far. A change of `attempt` restarts the draft; pass it to watch the next attempt. */
export function useDraft(jobId: string | undefined, attempt: number): Draft {
  const { trpc } = useJobwire();
  const source = jobId === undefined ? undefined : `${jobId} ${attempt}`;
  return useStream({
    key: `draft ${source}`,
    initial: NO_DRAFT,
    reduce: mergeDraft,
    source,
    open: (handlers: Handlers<DraftFrame>) =>
      trpc.job.onOutput.subscribe(
        { jobId: jobId ?? "" },
        { onData: ({ data }) => handlers.onData(data), onError: handlers.onError },
      ),
  }).state;
}

export function useBatch(batchId: string) {
  const { trpc } = useJobwire();
  const queryKey = ["jobwire", "batch", batchId];
  const onGap = useReadAgain(queryKey);
  const query = useQuery({
    queryKey,
    queryFn: () => trpc.batch.get.query({ batchId }),
    ...UNTIL_ANSWERED,
  });
  const stream = useStream({
    key: `batch ${batchId}`,
    initial: undefined,
    reduce: mergeBatch,
    source: batchId,
    open: (handlers: Handlers<BatchAggregate>) =>
      trpc.batch.onUpdate.subscribe(
        { batchId, follow: true },
        { onData: ({ data }) => handlers.onData(onGap(data)), onError: handlers.onError },
      ),
  });
  const batch = useMemo(
    () => (query.data === undefined ? undefined : currentBatch(query.data, stream.state)),
    [query.data, stream.state],
  );
  return { batch, error: failed(query) ?? stream.error };
}

const NO_CHANGES: ReadonlyMap<string, JobSummary> = new Map();

/**
 * A live list of jobs, newest first: the caller's own, or those of others, for which the caller needs the scope `tenant`. The
 * feed starts at the position of the first page, so no change is missed.
 */
export function useJobs(filter: JobFilter & OwnersAsked = {}) {
  const { trpc } = useJobwire();
  const cache = useQueryClient();
  const { status, kind, batchId, owner, allOwners } = filter;
  const owners = { owner, allOwners };
  const queryKey = [
    "jobwire",
    "jobs",
    ...[status, kind, batchId, owner].map((each) => JSON.stringify(each) ?? ""),
    `${allOwners === true}`,
  ];
  const onGap = useReadAgain(queryKey);
  const list = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      trpc.job.list.query({ status, kind, batchId, ...owners, limit: 50, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    ...UNTIL_ANSWERED,
    // The feed keeps the pages up to date.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnMount: "always",
  });
  const pages = list.data?.pages ?? [];
  const from = pages[0]?.feed;
  const key = queryKey.join(" ");
  const feed = useStream({
    key,
    initial: NO_CHANGES,
    reduce: mergeFeed,
    source: from === undefined ? undefined : String(from),
    open(handlers: Handlers<FeedEntry>, known) {
      cache.setQueryData(liveKey(key), dropKnown(known, pages));
      return trpc.feed.onUpdate.subscribe(
        { ...owners, lastEventId: String(from) },
        {
          onData: ({ data }) => handlers.onData(onGap(data)),
          onError: handlers.onError,
        },
      );
    },
  });
  const jobs = useMemo(
    () => mergeJobs(list.data?.pages ?? [], feed.state, { status, kind, batchId }),
    [list.data, feed.state, status, kind, batchId],
  );
  return {
    jobs,
    isLoading: list.isPending,
    error: failed(list) ?? feed.error,
    hasMore: list.hasNextPage,
    loadMore: () => void list.fetchNextPage(),
    isLoadingMore: list.isFetchingNextPage,
  };
}
