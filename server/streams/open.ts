/**
 * The streams of this process, as transports use them: replay, then live, after a check of ownership. A stream can be
 * pulled (`for await`) or pushed (`pipe`). This is the only replay: no transport has its own.
 */
import type { Engine } from "#server/engine/contract.ts";
import { assertKind } from "#shared/assert-kind.ts";
import type { BatchAggregate, BatchRecord } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { JobSummary } from "#shared/job.ts";
import { type OwnersAsked, ownersFor } from "#shared/owners-asked.ts";
import type { LogFrame } from "#shared/log-line.ts";
import { mayRead, mayReadLines, type Owner, type Principal } from "#shared/principal.ts";
import { createBatchSource } from "./batch-source.ts";
import { createDraftSource } from "./draft-source.ts";
import { createFeedSource } from "./feed-source.ts";
import { openHub } from "./hub.ts";
import { createJobSource } from "./job-source.ts";
import { createLinesSource } from "./lines-source.ts";
import { type Pipe, deferPipe } from "./deferred-pipe.ts";
import { createWatchIterator } from "./watch-iterator.ts";
import type { StreamKind, StreamUsage } from "./counts.ts";
import { createAvailability } from "./availability.ts";
import { isUnavailable } from "./retry-while-unavailable.ts";
import { createRequestCoalescer } from "./request-coalescer.ts";
import type { Entry, Source } from "./source.ts";
import type { Sink, Watch, WatchOptions } from "./sink.ts";

export { STREAM_KINDS, type StreamKind, type StreamUsage } from "./counts.ts";
export type { Entry } from "./source.ts";
export type { Sink, Watch } from "./sink.ts";
export type { Pipe } from "./deferred-pipe.ts";

/** Each `for await` and each `pipe` is a watch of its own. */
export interface Stream<T> extends AsyncIterable<Entry<T>> {
  /** The sink is first called after this has returned. */
  pipe(sink: Sink<T>): Watch;
}

/** `after`: see `positionOf`. `follow`: stay after the stream settled. `signal` ends `for await`. */
export type Watching = Partial<WatchOptions> & { signal?: AbortSignal | undefined };
/** `kind`: that of the job; `NOT_FOUND` for a job of another kind. */
export type WatchingJob = Watching & { kind?: string | undefined };

type Wrap<T> = (pipe: Pipe<T>) => Pipe<T>;

export interface Streams {
  /**
   * These four reject with `NOT_FOUND` where the job or batch does not exist, or has another owner. While the data is
   * unavailable neither is known: the stream begins, or ends with `NOT_FOUND`, once the data is available.
   */
  job(principal: Principal, jobId: string, watching?: WatchingJob): Promise<Stream<JobEvent>>;
  draft(principal: Principal, jobId: string, watching?: WatchingJob): Promise<Stream<DraftFrame>>;
  /** As `job`, and with `NOT_FOUND` also where the principal may read the job, but not its log lines. */
  lines(principal: Principal, jobId: string, watching?: Watching): Promise<Stream<LogFrame>>;
  batch(
    principal: Principal,
    batchId: string,
    watching?: Watching,
  ): Promise<Stream<BatchAggregate>>;
  /** Rejects with `FORBIDDEN` where the principal may not read the jobs of others. */
  feed(principal: Principal, watching?: Watching & OwnersAsked): Promise<Stream<FeedEntry>>;
  /**
   * A further stream: about the job or batch, with the same checks, or about neither, with none. `wrap`: surrounds each watch of
   * it.
   */
  about<T>(
    principal: Principal,
    of: { jobId?: string | undefined; batchId?: string | undefined },
    source: Source<T>,
    watching: Watching & { wrap: Wrap<T> },
  ): Promise<Stream<T>>;
  /** `true` while the data of all streams is available: the present state first, then each change, until the signal aborts. */
  availability(signal?: AbortSignal): AsyncIterable<boolean>;
  count(): { watches: number; streams: number };
  /** The same, and what was delivered, by kind of stream. */
  usage(): Record<StreamKind, StreamUsage>;
  close(): void;
}

export interface StreamsOptions {
  pollMs?: number | undefined;
  /**
   * Called when all watches whose sinks are not full have the change that was made at `at`: once for the changes of a stream
   * in a tick, however many watches it has.
   */
  onDelivered?: ((at: Date) => void) | undefined;
}

/** The poll interval of each watched stream, for lost hints. */
const LOOK_EVERY_MS = 5000;
/** The interval between two probes of the data. */
const AVAILABILITY_EVERY_MS = 2000;

export function openStreams(engine: Engine, options: StreamsOptions = {}): Streams {
  const { pollMs = LOOK_EVERY_MS, onDelivered } = options;
  const hub = openHub(engine, { pollMs, onDelivered });
  const availability = createAvailability(engine, AVAILABILITY_EVERY_MS);

  let closed = false;

  function stream<T>(
    source: Source<T>,
    { after, follow = false, signal }: Watching = {},
    wrap: Wrap<T> = (pipe) => pipe,
  ): Stream<T> {
    const pipe = wrap((sink) => hub.watch(source, sink, { after, follow }));
    return { pipe, [Symbol.asyncIterator]: () => createWatchIterator(pipe, signal) };
  }

  // Kinds never change, and owners only by `jobwire assign`: what is a moment old is true enough.
  const jobs = createRequestCoalescer<JobSummary | undefined>();
  const batches = createRequestCoalescer<BatchRecord | undefined>();
  const mayWatchJob = (principal: Principal, jobId: string, kind?: string) => async () => {
    const job = await jobs.get(jobId, () => engine.getSummary(jobId));
    assertKind(readable(principal, "job", jobId, job), kind);
  };
  const mayWatchLines = (principal: Principal, jobId: string) => async () => {
    const job = await jobs.get(jobId, () => engine.getSummary(jobId));
    if (job === undefined || !mayReadLines(principal, job)) throw notFound("Job", jobId);
  };
  const mayWatchBatch = (principal: Principal, batchId: string) => async () =>
    void readable(
      principal,
      "batch",
      batchId,
      await batches.get(batchId, () => engine.getBatch(batchId)),
    );

  /** While the data is unavailable ownership is not known, and the watch is deferred. */
  async function allowed<T>(
    mayWatch: () => Promise<void>,
    source: Source<T>,
    watching?: Watching,
    wrap: Wrap<T> = (pipe) => pipe,
  ): Promise<Stream<T>> {
    try {
      await mayWatch();
      return stream(source, watching, wrap);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return stream(source, watching, (pipe) => deferPipe(mayWatch, wrap(pipe), () => !closed));
    }
  }

  return {
    job: (principal, jobId, watching) =>
      allowed(
        mayWatchJob(principal, jobId, watching?.kind),
        createJobSource(engine, jobId),
        watching,
      ),
    draft: (principal, jobId, watching) =>
      allowed(
        mayWatchJob(principal, jobId, watching?.kind),
        createDraftSource(engine, jobId),
        watching,
      ),
    lines: (principal, jobId, watching) =>
      allowed(mayWatchLines(principal, jobId), createLinesSource(engine, jobId), watching),
    batch: (principal, batchId, watching) =>
      allowed(mayWatchBatch(principal, batchId), createBatchSource(engine, batchId), watching),
    feed: async (principal, watching) =>
      stream(createFeedSource(engine, ownersFor(principal, watching)), watching),
    async about(principal, { jobId, batchId }, source, { wrap, ...watching }) {
      if (jobId !== undefined) {
        return allowed(mayWatchJob(principal, jobId), source, watching, wrap);
      }
      if (batchId === undefined) return stream(source, watching, wrap);
      return allowed(mayWatchBatch(principal, batchId), source, watching, wrap);
    },
    availability: (signal) => availability.states(signal),
    count: () => hub.count(),
    usage: () => hub.usage(),
    close() {
      closed = true;
      availability.close();
      hub.close();
    },
  };
}

function readable<Stored extends Owner & { id: string }>(
  principal: Principal,
  stream: "job" | "batch",
  id: string,
  record: Stored | undefined,
): Stored {
  if (record !== undefined && mayRead(principal, stream, record)) return record;
  throw notFound(stream === "job" ? "Job" : "Batch", id);
}

function notFound(what: "Job" | "Batch", id: string): AppError {
  return new AppError("NOT_FOUND", `${what} ${id} does not exist.`);
}
