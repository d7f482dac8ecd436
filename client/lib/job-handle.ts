/** One job, as a program follows it. */
import type { TRPCClient } from "@trpc/client";
import type { ApiRouter, JobEventOf, JobOf } from "#shared/api.ts";
import { applyDraft, type DraftFrame } from "#shared/events.ts";
import { isMoving, type Job } from "#shared/job.ts";
import type { KindTypes } from "#shared/kind-types.ts";
import { SubscriptionIterator } from "./subscription-iterator.ts";

export interface Watching {
  /** Ends the iteration, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface JobHandle<Types extends KindTypes = KindTypes> {
  readonly id: string;
  get(): Promise<JobOf<Types>>;
  /**
   * Each event of the job until it settles, through lost connections and without a gap. The first one is the newest, or the one
   * after `lastEventId`: the `seq` of an event as text, "0" for the whole log. `follow`: also what comes after it has settled,
   * until the iteration is left. Each call is a watch of its own.
   */
  events(
    options?: Watching & { lastEventId?: string | undefined; follow?: boolean | undefined },
  ): AsyncIterableIterator<JobEventOf<Types>, undefined>;
  /** The draft while it is written: the whole text so far, each time it has grown. It starts over with each attempt. */
  output(options?: Watching): AsyncGenerator<string, undefined>;
  /**
   * Resolves to the output when the job is delivered; rejects with `JobFailedError` when it is aborted, and when it is blocked.
   * `waitForDecision`: goes on waiting while it is blocked.
   */
  result(options?: Watching & { waitForDecision?: boolean | undefined }): Promise<Types["output"]>;
  /** Rejects with `ILLEGAL_TRANSITION` where the job has settled. */
  cancel(note?: string): Promise<Job>;
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

/** The procedures of all kinds or of one; they are alike. */
type Procedures = Pick<TRPCClient<ApiRouter>["job"], "get" | "onUpdate" | "onOutput">;

export function createJobHandle(
  id: string,
  procedures: Procedures,
  cancel: TRPCClient<ApiRouter>["job"]["cancel"],
): JobHandle {
  const jobId = id;
  const get = () => procedures.get.query({ jobId });

  function events({
    lastEventId: after,
    follow,
    signal,
  }: Parameters<JobHandle["events"]>[0] = {}): ReturnType<JobHandle["events"]> {
    return new SubscriptionIterator(
      (lastEventId, handlers) =>
        procedures.onUpdate.subscribe({ jobId, lastEventId, follow }, handlers),
      { lastEventId: after, signal },
    );
  }

  return {
    id,
    get,
    events,
    async *output({ signal } = {}) {
      const frames = new SubscriptionIterator<DraftFrame>(
        (lastEventId, handlers) => procedures.onOutput.subscribe({ jobId, lastEventId }, handlers),
        { signal },
      );
      let draft = "";
      for await (const frame of frames) yield (draft = applyDraft(draft, frame));
      return undefined;
    },
    async result({ signal, waitForDecision = false } = {}) {
      for (;;) {
        // It may be blocked once more, or queued again by a person before it is read.
        for await (const { status } of events({ follow: waitForDecision, signal })) {
          if (status === "DELIVERED" || status === "ABORTED") break;
        }
        const job = await get();
        if (job.status === "DELIVERED") return job.output;
        const goesOn = isMoving(job.status) || (job.status === "BLOCKED" && waitForDecision);
        if (!goesOn) throw new JobFailedError(job);
      }
    },
    cancel: (note) => cancel.mutate({ jobId, note }),
  };
}
