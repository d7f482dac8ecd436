/**
 * The streams of this process, as transports use them: replay, then live, for those who may see it. An opened
 * stream can be pulled (`for await`) or pushed (`pipe`). This exists once; no transport writes its own replay.
 */
import type { Engine } from "#server/engine/contract.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { type Owner, owns, ownerOf, type Principal } from "#shared/principal.ts";
import { createBatchSource } from "./batch-source.ts";
import { createDraftSource } from "./draft-source.ts";
import { createFeedSource } from "./feed-source.ts";
import { openHub } from "./hub.ts";
import { createJobSource } from "./job-source.ts";
import { type Pipe, deferPipe } from "./deferred-pipe.ts";
import { createWatchIterator } from "./watch-iterator.ts";
import { createAvailability } from "./availability.ts";
import { isUnavailable } from "./retry-while-unavailable.ts";
import { createRequestCoalescer } from "./request-coalescer.ts";
import type { Entry, Source } from "./source.ts";
import type { Sink, Watch, WatchOptions } from "./sink.ts";

export type { Entry } from "./source.ts";
export type { Sink, Watch } from "./sink.ts";

/** Can be watched once or often; each `for await` and each `pipe` is a watch of its own. */
export interface Stream<T> extends AsyncIterable<Entry<T>> {
  /** The sink is first called after this has returned. */
  pipe(sink: Sink<T>): Watch;
}

/** `after`: see `positionOf`. `follow`: stay after the stream settled. `signal` ends what is pulled. */
export type Watching = Partial<WatchOptions> & { signal?: AbortSignal | undefined };

export interface Streams {
  /**
   * All four reject with `NOT_FOUND` for what does not exist or belongs to somebody else. While the data cannot be read
   * that is not known: the stream begins, or ends with `NOT_FOUND`, when it is.
   */
  job(principal: Principal, jobId: string, watching?: Watching): Promise<Stream<JobEvent>>;
  draft(principal: Principal, jobId: string, watching?: Watching): Promise<Stream<DraftFrame>>;
  batch(
    principal: Principal,
    batchId: string,
    watching?: Watching,
  ): Promise<Stream<BatchAggregate>>;
  feed(principal: Principal, watching?: Watching): Promise<Stream<FeedEntry>>;
  /** Whether the data of all streams can be read, at first and then each change, until the signal aborts. */
  availability(signal?: AbortSignal): AsyncIterable<boolean>;
  count(): { watches: number; streams: number };
  close(): void;
}

/** How often every watched stream is looked at even when no hint came. */
const LOOK_EVERY_MS = 5000;
/** How often it is tried whether the data can be read. */
const AVAILABILITY_EVERY_MS = 2000;

export function openStreams(engine: Engine, options: { lookEveryMs?: number } = {}): Streams {
  const hub = openHub(engine, { lookEveryMs: options.lookEveryMs ?? LOOK_EVERY_MS });
  const availability = createAvailability(engine, AVAILABILITY_EVERY_MS);

  let closed = false;

  function stream<T>(
    source: Source<T>,
    { after, follow = false, signal }: Watching = {},
    wrap: (pipe: Pipe<T>) => Pipe<T> = (pipe) => pipe,
  ): Stream<T> {
    const pipe = wrap((sink) => hub.watch(source, sink, { after, follow }));
    return { pipe, [Symbol.asyncIterator]: () => createWatchIterator(pipe, signal) };
  }

  // Owners never change.
  const owners = createRequestCoalescer<Owner | undefined>();
  const mayWatchJob = (principal: Principal, jobId: string) => async () =>
    mine(principal, await owners.get(jobId, () => engine.getSummary(jobId)), `Job ${jobId}`);
  const mayWatchBatch = (principal: Principal, batchId: string) => async () =>
    mine(principal, await owners.get(batchId, () => engine.getBatch(batchId)), `Batch ${batchId}`);

  /** For whom it is not known yet whether they may watch, since the data cannot be read, a watch begins later. */
  async function allowed<T>(
    mayWatch: () => Promise<void>,
    source: Source<T>,
    watching?: Watching,
  ): Promise<Stream<T>> {
    try {
      await mayWatch();
      return stream(source, watching);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return stream(source, watching, (pipe) => deferPipe(mayWatch, pipe, () => !closed));
    }
  }

  return {
    job: (principal, jobId, watching) =>
      allowed(mayWatchJob(principal, jobId), createJobSource(engine, jobId), watching),
    draft: (principal, jobId, watching) =>
      allowed(mayWatchJob(principal, jobId), createDraftSource(engine, jobId), watching),
    batch: (principal, batchId, watching) =>
      allowed(mayWatchBatch(principal, batchId), createBatchSource(engine, batchId), watching),
    feed: async (principal, watching) =>
      stream(createFeedSource(engine, ownerOf(principal)), watching),
    availability: (signal) => availability.states(signal),
    count: () => hub.count(),
    close() {
      closed = true;
      availability.close();
      hub.close();
    },
  };
}

function mine(principal: Principal, record: Owner | undefined, name: string): void {
  if (record !== undefined && owns(principal, record)) return;
  throw new AppError("NOT_FOUND", `${name} does not exist.`);
}
