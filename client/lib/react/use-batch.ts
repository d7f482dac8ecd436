"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { currentBatch, mergeBatch } from "#client/lib/merge.ts";
import type { Batch, BatchAggregate } from "#shared/batch.ts";
import { useProvided } from "./context.tsx";
import { batchOptions, type Id, type LiveOptions } from "./query-options.ts";
import { failed, type LiveResult, resultOf } from "./result.ts";
import { useReadAgain } from "./use-read-again.ts";
import { type Handlers, useStream } from "./use-stream.ts";

export type BatchResult = LiveResult<Batch> & {
  /** True while the batch is read. Its subscription is open all the time. */
  isFetching: boolean;
  refetch(): void;
};

/** A batch in its current state. */
export function useBatch(id: Id, options: LiveOptions = {}): BatchResult {
  const { client } = useProvided();
  const { enabled = true, ...pass } = options;
  const batchId = enabled && typeof id === "string" ? id : undefined;
  const read = batchOptions(client, typeof id === "string" ? id : "");
  const onGap = useReadAgain(read.queryKey);
  const query = useQuery({ ...read, ...pass, enabled: batchId !== undefined });
  const stream = useStream({
    key: read.queryKey,
    initial: undefined,
    reduce: mergeBatch,
    source: batchId,
    readAt: query.dataUpdatedAt,
    open: (handlers: Handlers<BatchAggregate>) =>
      client.trpc.batch.onUpdate.subscribe(
        { batchId: batchId ?? "", follow: true },
        { onData: ({ data }) => handlers.onData(onGap(data)), onError: handlers.onError },
      ),
  });
  const batch = useMemo(
    () => (query.data === undefined ? undefined : currentBatch(query.data, stream.state)),
    [query.data, stream.state],
  );
  return {
    ...resultOf(batch, failed(query) ?? stream.error ?? null),
    isFetching: query.isFetching,
    refetch: () => void query.refetch(),
  };
}
