/** The queries behind the hooks, for prefetching them, on a server too, and for reading the cache. */
import {
  type QueryFunction,
  type QueryMeta,
  queryOptions,
  type SkipToken,
  type UseQueryOptions,
} from "@tanstack/react-query";
import type { JobwireClient } from "#client/lib/client.ts";
import { isFinal, waitAfter } from "#client/lib/failure.ts";
import type { JobHandle } from "#client/lib/job-handle.ts";
import type { JobOf } from "#shared/api.ts";
import type { Batch } from "#shared/batch.ts";
import type { KindTypes } from "#shared/kind-types.ts";
import type { JobWaiting } from "#shared/waiting.ts";
import { jobwireKeys } from "./query-keys.ts";

/** Retries until the server answers; only a final error of the server's is an error. */
export const UNTIL_ANSWERED = {
  retry: (_failures: number, error: Error) => !isFinal(error),
  retryDelay: (failures: number, error: Error) => waitAfter(error, failures),
} as const;

/** Of a job or batch. `undefined`: it is not known yet; like `skipToken`, nothing is read or subscribed then. */
export type Id = string | SkipToken | undefined;

/** TanStack Query's options, as far as they fit to state that a subscription keeps up to date. */
export interface LiveOptions {
  /** `false`: nothing is read or subscribed. */
  enabled?: boolean;
  gcTime?: number;
  staleTime?: number;
  meta?: QueryMeta;
  retry?: boolean | number | ((failures: number, error: Error) => boolean);
  retryDelay?: number | ((failures: number, error: Error) => number);
  refetchOnMount?: boolean | "always";
  refetchOnReconnect?: boolean | "always";
  refetchOnWindowFocus?: boolean | "always";
}

/** A client, for a job of whatever kind, or its part for one kind. */
export interface JobSource<Types extends KindTypes> {
  readonly name?: string;
  job(id: string): Pick<JobHandle<Types>, "get">;
}

/** Options for `useQuery`, `prefetchQuery` and the like. The type of the key tells `getQueryData` that of the data. */
export type ReadOptions<Data> = Omit<
  UseQueryOptions<Data, Error, Data, string[]>,
  "queryFn" | "queryKey"
> & {
  /** Never `skipToken`, so that `useSuspenseQuery` takes them too. */
  queryFn?: QueryFunction<Data, string[]>;
} & Pick<ReturnType<typeof queryOptions<Data, Error, Data, string[]>>, "queryKey">;

/** The query of `useJob`: `queryClient.prefetchQuery(jobOptions(client.kinds.thumbnails, id))`. */
export function jobOptions<Types extends KindTypes>(
  source: JobSource<Types>,
  id: string,
): ReadOptions<JobOf<Types>> {
  return queryOptions({
    queryKey: jobwireKeys.job(id, source.name),
    queryFn: () => source.job(id).get(),
    ...UNTIL_ANSWERED,
  });
}

/** A server can be asked why a job waits, and others' jobs change that, so it is asked again and again. */
const WAITING_AGAIN_MS = 5000;

export interface WaitingSource {
  job(id: string): Pick<JobHandle, "waiting">;
}

/**
 * The query of `useWaiting`. It is read at most every five seconds, and not while the page is hidden. `version`: of the job. A job
 * that waits once more is another question.
 */
export function waitingOptions(
  source: WaitingSource,
  id: string,
  version: number,
): ReadOptions<JobWaiting | null> {
  return queryOptions({
    queryKey: jobwireKeys.waiting(id, version),
    queryFn: () => source.job(id).waiting(),
    ...UNTIL_ANSWERED,
    staleTime: WAITING_AGAIN_MS,
    // An older server does not know the procedure.
    refetchInterval: ({ state }) => (state.status === "error" ? false : WAITING_AGAIN_MS),
    refetchOnWindowFocus: true,
    gcTime: WAITING_AGAIN_MS,
  });
}

/** A client of whatever kinds. */
export interface BatchSource {
  readonly trpc: { readonly batch: Pick<JobwireClient["trpc"]["batch"], "get"> };
}

/** The query of `useBatch`. */
export function batchOptions(client: BatchSource, id: string): ReadOptions<Batch> {
  return queryOptions({
    queryKey: jobwireKeys.batch(id),
    queryFn: () => client.trpc.batch.get.query({ batchId: id }),
    ...UNTIL_ANSWERED,
  });
}
