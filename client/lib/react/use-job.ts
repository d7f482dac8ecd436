"use client";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { Connection } from "#client/lib/connection.ts";
import type { KindClient } from "#client/lib/kinds-client.ts";
import { currentJob, type Draft, mergeEvents } from "#client/lib/merge.ts";
import type { JobEventOf, JobOf } from "#shared/api.ts";
import type { JobEvent } from "#shared/events.ts";
import { isMoving } from "#shared/job.ts";
import type { KindTypes } from "#shared/kind-types.ts";
import { useConnection, useProvided } from "./context.tsx";
import { type Id, jobOptions, type LiveOptions } from "./query-options.ts";
import { failed, type LiveResult, resultOf } from "./result.ts";
import { useDraftOf } from "./use-draft.ts";
import { useReadAgain } from "./use-read-again.ts";
import { type Handlers, useStream } from "./use-stream.ts";

export interface JobOptions extends LiveOptions {
  /** `true`: also the draft. */
  draft?: boolean;
}

export type JobResult<Types extends KindTypes = KindTypes> = LiveResult<JobOf<Types>> & {
  /** The job's log, oldest first. */
  events: readonly JobEventOf<Types>[];
  /** The draft so far; empty unless the option `draft` asks for it. */
  draft: Draft;
  connection: Connection;
  /** True while the job is read. Its subscription is open all the time. */
  isFetching: boolean;
  refetch(): void;
};

const NO_EVENTS: JobEvent[] = [];

/**
 * A job in its current state, and its log, with the types of its kind. A job of another kind is `NOT_FOUND`. The hook stays
 * subscribed after the job has settled: it may be retried or approved.
 */
export function useJob<Types extends KindTypes>(
  kind: KindClient<Types>,
  id: Id,
  options?: JobOptions,
): JobResult<Types>;
/** A job of whatever kind. */
export function useJob(id: Id, options?: JobOptions): JobResult;
export function useJob(first: object | Id, second?: Id | JobOptions, third?: JobOptions): object {
  const [kind, ...rest] =
    typeof first === "object" ? [first, second, third] : [undefined, first, second];
  const [id, options] = rest as [Id, JobOptions?];
  return useJobOf(kind as KindClient<KindTypes> | undefined, id, options);
}

function useJobOf(
  kind: KindClient<KindTypes> | undefined,
  id: Id,
  options: JobOptions = {},
): JobResult {
  const { client } = useProvided();
  const connection = useConnection();
  const procedures = kind?.trpc ?? client.trpc.job;
  const { enabled = true, draft: withDraft = false, ...pass } = options;
  const jobId = enabled && typeof id === "string" ? id : undefined;

  const read = jobOptions(kind ?? client, typeof id === "string" ? id : "");
  const onGap = useReadAgain(read.queryKey);
  const query = useQuery({ ...read, ...pass, enabled: jobId !== undefined });
  const log = useStream({
    key: read.queryKey,
    initial: NO_EVENTS,
    reduce: mergeEvents,
    source: jobId,
    readAt: query.dataUpdatedAt,
    open: (handlers: Handlers<JobEvent>, known) =>
      procedures.onUpdate.subscribe(
        { jobId: jobId ?? "", lastEventId: String(known.at(-1)?.seq ?? 0), follow: true },
        { onData: ({ data }) => handlers.onData(onGap(data)), onError: handlers.onError },
      ),
  });
  const newest = log.state.at(-1);
  const { data: record, refetch } = query;

  // The log has no output, so the record is read once the job has settled, or may have: a newer server's status is unknown. Nor has
  // it the input and the times, which a job that is queued again may have got anew.
  const isNew = newest !== undefined && (!isMoving(newest.status) || newest.type === "requeued");
  const readFrom = isNew ? newest.seq : undefined;
  useEffect(() => {
    if (readFrom !== undefined && record !== undefined && record.version < readFrom) void refetch();
  }, [readFrom, record, refetch]);

  const job = useMemo(
    () => (record === undefined ? undefined : currentJob(record, log.state)),
    [record, log.state],
  );
  const draft = useDraftOf(withDraft ? jobId : undefined, job?.attempt ?? 0, query.dataUpdatedAt);
  return {
    ...resultOf(job, failed(query) ?? log.error ?? null),
    events: log.state,
    draft,
    connection,
    isFetching: query.isFetching,
    refetch: () => void refetch(),
  };
}
