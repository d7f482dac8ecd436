/** One job, as a program follows it. Iterations and results reject when the client is closed. */
import type { TRPCClient } from "@trpc/client";
import type { ApiRouter, JobEventOf, JobOf } from "#shared/api.ts";
import { applyDraft, type DraftFrame, type JobEvent } from "#shared/events.ts";
import { isMoving, type Job } from "#shared/job.ts";
import type { KindTypes } from "#shared/kind-types.ts";
import type { LogFrame, LogLine } from "#shared/log-line.ts";
import type { Presence } from "#shared/presence.ts";
import type { JobWaiting } from "#shared/waiting.ts";
import type { Closing } from "./closing.ts";
import { isFinal, waitAfter } from "./failure.ts";
import type { WatchingPresence, WatchPresence } from "./presence.ts";
import { type Subscribe, SubscriptionIterator } from "./subscription-iterator.ts";
import { untilClosed } from "./until-closed.ts";

export interface Watching {
  /** Ends the iteration, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface JobHandle<Types extends KindTypes = KindTypes> {
  readonly id: string;
  get(): Promise<JobOf<Types>>;
  /** Why the job waits. `null`: it does not. */
  waiting(): Promise<JobWaiting | null>;
  /**
   * Each event of the job until it settles, through lost connections and without a gap. The first one is the newest, or the one
   * after `lastEventId`: the `seq` of an event as text, "0" for the whole log. `follow`: also what comes after it has settled,
   * until the iteration is left. Each call is a watch of its own.
   */
  events(
    options?: Watching & { lastEventId?: string | undefined; follow?: boolean | undefined },
  ): AsyncIterableIterator<JobEventOf<Types>, undefined>;
  /** The draft while it is written: the whole text so far, each time it has grown. It starts over with each attempt. */
  output(options?: Watching): AsyncIterableIterator<string, undefined>;
  /**
   * Each line that the job's kind logs, of all attempts: first those that are kept, or those after `lastEventId` (the `seq` of a
   * line as text), then further ones until the job settles, or with `follow` until the iteration is left. Rejects where the
   * caller may read the job, but not its log lines.
   */
  logs(
    options?: Watching & { lastEventId?: string | undefined; follow?: boolean | undefined },
  ): AsyncIterableIterator<LogLine, undefined>;
  /**
   * Resolves to the output when the job is delivered; rejects with `JobFailedError` when it is aborted, and when it is blocked.
   * `waitForDecision`: goes on waiting while it is blocked. Like `events`, it outlasts lost connections.
   */
  result(options?: Watching & { waitForDecision?: boolean | undefined }): Promise<Types["output"]>;
  /** Rejects with `ILLEGAL_TRANSITION` where the job has settled. */
  cancel(note?: string): Promise<Job>;
  /** Shows who looks at the job, and who writes a note, as it is now first. This client counts unless it is not `visible`. */
  presence(options?: WatchingPresence): AsyncIterableIterator<Presence, undefined>;
  /** Says that a note is being written, for five seconds, or not any more. */
  setTyping(typing: boolean): Promise<void>;
}

/**
 * A job that has no result: it was aborted, or it is blocked and waits for a decision, or it ended in a status that a newer
 * server has.
 */
export class JobFailedError extends Error {
  override readonly name = "JobFailedError";
  /** That of the job's error (`CANCELLED`, or the kind's own); else its status, such as `BLOCKED`. */
  readonly code: string;
  readonly job: Job;

  constructor(job: Job) {
    super(job.error?.message ?? job.message);
    this.code = job.error?.code ?? job.status;
    this.job = job;
  }
}

interface HandleOptions {
  /** The procedures of all kinds or of one; they are alike. */
  procedures: Pick<TRPCClient<ApiRouter>["job"], "get" | "onUpdate" | "onOutput">;
  /** These are the same for all kinds. */
  shared: JobCalls;
  closing: Closing;
}

export interface JobCalls {
  cancel: TRPCClient<ApiRouter>["job"]["cancel"];
  waiting: TRPCClient<ApiRouter>["job"]["waiting"];
  typing: TRPCClient<ApiRouter>["job"]["typing"];
  onLog: TRPCClient<ApiRouter>["job"]["onLog"];
  device: string;
  watchPresence: WatchPresence;
}

export function createJobHandle(
  id: string,
  { procedures, shared, closing }: HandleOptions,
): JobHandle {
  const jobId = id;

  function events({
    lastEventId: after,
    follow,
    signal,
  }: Parameters<JobHandle["events"]>[0] = {}): ReturnType<JobHandle["events"]> {
    const subscribe: Subscribe<JobEvent> = (lastEventId, handlers) =>
      procedures.onUpdate.subscribe({ jobId, lastEventId, follow }, handlers);
    const open = untilClosed(closing.signal, subscribe);
    return new SubscriptionIterator(open, { lastEventId: after, signal });
  }

  const subscribeToOutput: Subscribe<DraftFrame> = (lastEventId, handlers) =>
    procedures.onOutput.subscribe({ jobId, lastEventId }, handlers);

  /** Asks until the server answers. */
  async function getFor(signal: AbortSignal): Promise<Job> {
    for (let failures = 0; ; failures += 1) {
      try {
        return await procedures.get.query({ jobId }, { signal });
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) throw error;
        await pause(waitAfter(error, failures), signal);
      }
    }
  }

  return {
    id,
    get: () => procedures.get.query({ jobId }),
    waiting: () => shared.waiting.query({ jobId }),
    events,
    output({ signal } = {}) {
      const open = untilClosed(closing.signal, subscribeToOutput);
      let draft = "";
      return mapped(
        new SubscriptionIterator(open, { signal }),
        (frame) => (draft = applyDraft(draft, frame)),
      );
    },
    logs({ lastEventId: after, follow, signal } = {}) {
      const subscribe: Subscribe<LogFrame> = (lastEventId, handlers) =>
        shared.onLog.subscribe({ jobId, lastEventId, follow }, handlers);
      const open = untilClosed(closing.signal, subscribe);
      return linesOf(new SubscriptionIterator(open, { lastEventId: after, signal }));
    },
    async result({ signal, waitForDecision = false } = {}) {
      const ended = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
      for (;;) {
        // It may be blocked once more, or queued again by a person before it is read.
        for await (const { status } of events({ follow: waitForDecision, signal: ended })) {
          if (status === "DELIVERED" || status === "ABORTED") break;
        }
        const job = await getFor(ended);
        if (job.status === "DELIVERED") return job.output;
        const goesOn = isMoving(job.status) || (job.status === "BLOCKED" && waitForDecision);
        if (!goesOn) throw new JobFailedError(job);
      }
    },
    cancel: (note) => shared.cancel.mutate({ jobId, note }),
    presence: (options) => shared.watchPresence({ jobId }, options),
    setTyping: (typing) => shared.typing.mutate({ jobId, typing, device: shared.device }),
  };
}

/** No generator: its `return` would wait for a `next` that is under way, and keep the subscription open meanwhile. */
function mapped<T, Shown>(
  entries: SubscriptionIterator<T>,
  show: (entry: T) => Shown,
): AsyncIterableIterator<Shown, undefined> {
  return {
    async next() {
      const result = await entries.next();
      return result.done === true ? result : { done: false, value: show(result.value) };
    },
    return: () => entries.return(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The lines of the frames, one by one. */
function linesOf(
  frames: SubscriptionIterator<LogFrame>,
): AsyncIterableIterator<LogLine, undefined> {
  const waiting: LogLine[] = [];
  return {
    async next() {
      for (;;) {
        const value = waiting.shift();
        if (value !== undefined) return { done: false, value };
        const result = await frames.next();
        if (result.done !== true) waiting.push(...result.value.lines);
        else if (waiting.length === 0) return result;
      }
    },
    return() {
      waiting.length = 0;
      return frames.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Rejects with the signal's reason when it is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}
