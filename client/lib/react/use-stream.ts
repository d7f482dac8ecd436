"use client";
/** Reduces a subscription to a state that components share. */
import { type QueryClient, skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { type Failed, failureOf } from "#client/lib/failure.ts";
import { useProvided } from "./context.tsx";
import { liveKey } from "./query-keys.ts";

/** The open subscriptions of a provider, and how many components read each of them. */
export type OpenStreams = Map<string, { readers: number; close(): void }>;

export interface Handlers<T> {
  onData: (value: T) => void;
  onError: (error: unknown) => void;
}

interface StreamOptions<S, T> {
  /** Key of the state in the query cache. */
  key: readonly string[];
  initial: S;
  reduce: (state: S, values: readonly T[]) => S;
  /** Identifies the subscription; a change reopens it, and `undefined` closes it. */
  source: string | undefined;
  /** The known state as it is to be when the subscription opens. */
  begin?: (known: S) => S;
  open: (handlers: Handlers<T>, state: S) => { unsubscribe: () => void };
  /** When the same was last read, in milliseconds since the epoch. A read after the subscription has failed opens it again. */
  readAt?: number;
}

interface Live<S> {
  state: S;
  /** The subscription has ended with it. */
  error: Failed | undefined;
  /** In milliseconds since the epoch. */
  errorAt: number;
}

const FRAME_MS = 16;

/**
 * The state lives in the query cache: a component that mounts again starts from the last known state, and the subscription
 * resumes there. Components with the same key and source share one subscription. Values that arrive within one frame of the
 * screen are rendered together, so a busy stream costs one render per frame; a timer instead of `requestAnimationFrame` also
 * serves hidden tabs. `initial` and `reduce` must not change between renders.
 */
export function useStream<S, T>(options: StreamOptions<S, T>): Live<S> {
  const { key, initial, source, readAt = 0 } = options;
  const { streams } = useProvided();
  const cache = useQueryClient();
  // It has no data before the first value, so that a server does not send it along with the page.
  const { data } = useQuery<Live<S>>({
    queryKey: liveKey(key),
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  const open = useEffectEvent(() => openStream(cache, options));
  const hasFailed = useEffectEvent(() => cache.getQueryData<Live<S>>(liveKey(key))?.error);
  const name = source === undefined ? undefined : JSON.stringify([key, source]);

  useEffect(() => {
    if (name === undefined) return;
    const stream = streams.get(name) ?? { readers: 0, close: open() };
    stream.readers += 1;
    streams.set(name, stream);
    return () => {
      stream.readers -= 1;
      if (stream.readers > 0) return;
      streams.delete(name);
      stream.close();
    };
  }, [streams, cache, name]);

  const isRefuted = data?.error !== undefined && readAt > data.errorAt;
  useEffect(() => {
    const stream = name === undefined ? undefined : streams.get(name);
    // Of several components with this subscription, the first one opens it.
    if (!isRefuted || stream === undefined || hasFailed() === undefined) return;
    stream.close();
    stream.close = open();
  }, [streams, name, isRefuted]);

  return data ?? { state: initial, error: undefined, errorAt: 0 };
}

/** Returns the function that closes it. */
function openStream<S, T>(
  cache: QueryClient,
  { key, initial, reduce, begin, open }: StreamOptions<S, T>,
): () => void {
  const queryKey = liveKey(key);
  const known = () => cache.getQueryData<Live<S>>(queryKey)?.state ?? initial;
  const set = (state: S, error?: Failed) =>
    cache.setQueryData<Live<S>>(queryKey, { state, error, errorAt: Date.now() });
  let waiting: T[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  function flush(error?: Failed): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0 && error === undefined) return;
    const values = waiting;
    waiting = [];
    set(values.length === 0 ? known() : reduce(known(), values), error);
  }

  if (begin !== undefined) set(begin(known()));
  const subscription = open(
    {
      onData(value) {
        waiting.push(value);
        timer ??= setTimeout(flush, FRAME_MS);
      },
      onError: (error) => flush(failureOf(error)),
    },
    known(),
  );
  return () => {
    flush();
    subscription.unsubscribe();
    if (cache.getQueryData<Live<S>>(queryKey)?.error !== undefined) set(known());
  };
}
