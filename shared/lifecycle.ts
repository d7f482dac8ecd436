/**
 * The lifecycle of a job: one pure table of legal transitions, and the one function that applies them.
 * Every engine uses both, so that no two engines can disagree about what a change does.
 *
 *             start              deliver
 *  PENDING ----------> PROCESSING ----------> DELIVERED
 *     ^  ^                |   |  block                ^
 *     |  +-- release -----+   +----------> BLOCKED ---+ approve
 *     |  (crash, transient)   |               |  |
 *     |                       | fail          |  +-- regenerate --> PENDING
 *     +------- retry ------ ABORTED <---------+ reject
 *  PENDING, PROCESSING -- cancel --> ABORTED
 *  PENDING -- expire --> ABORTED
 *  PENDING -- debounce --> PENDING, only before the first start
 *
 * A mirrored job (`outside.ts`) also changes by `requeue`, from PENDING, DELIVERED and ABORTED to PENDING, and by `remove`, from
 * PENDING and PROCESSING to ABORTED.
 */
import type { Actor } from "./actor.ts";
import { changedFields } from "./changed-fields.ts";
import type { Debounce, StandingOptions } from "./create-options.ts";
import { cutText } from "./cut-text.ts";
import { AppError } from "./errors.ts";
import type { JobEvent, JobEventType } from "./events.ts";
import { firstStart } from "./first-start.ts";
import { isSettled, type Job, type JobError, type JobStatus } from "./job.ts";
import { messageText, refuseIfFull } from "./job-fields.ts";
import { MAX_TITLE_CHARS } from "./limits.ts";
import { newestEvent } from "./newest-event.ts";
import { assertMirrored, detailsOf, isOutside, type Outside } from "./outside.ts";
import { REPEATABLE } from "./repeatable-actions.ts";
import { startText } from "./time-text.ts";

/**
 * Actions on a job. Runners take the first six, engines `expire`, creators `debounce`, mirrors `requeue`, `remove` and those of
 * runners, people the others. `outside`: a mirror's.
 */
export type JobChange = AnyChange & { outside?: Outside | undefined };
type AnyChange =
  | { action: "start"; progress: number; message: string }
  /** Without `details` the job keeps those that it has. */
  | { action: "progress"; progress: number; message: string; details?: unknown }
  /** Back into the queue, for a start `delayMs` after that was stored (0 to `MAX_DELAY_MS`). `counts`: it uses up a retry. */
  | { action: "release"; message: string; delayMs: number; counts: boolean }
  | { action: "deliver"; message: string; output: unknown }
  | { action: "block"; message: string; output: unknown }
  | { action: "fail"; error: JobError }
  /** The job has not started by this time, which is its `expiresAt`. */
  | { action: "expire"; expiresAt: Date }
  | DebounceChange
  /** The job waits in its queue, again or in another way. */
  | { action: "requeue"; message: string }
  /** The job was taken out of its queue. */
  | { action: "remove"; message: string }
  | Decided<"cancel">
  | Decided<"approve">
  | Decided<"reject">
  | Decided<"retry">
  | Decided<"regenerate">;
export type JobAction = JobChange["action"];

/** A further call replaces what the job is to do, and puts off its start. */
export interface DebounceChange {
  action: "debounce";
  input: unknown;
  title: string;
  /** That of the new input, for the limits of its kind. */
  key?: string | undefined;
  debounce: Debounce;
  actor?: Actor | undefined;
}

/** By a caller. `actor` is absent only where an engine is used without one, as in tests. */
interface Decided<Action extends string> {
  action: Action;
  note?: string | undefined;
  actor?: Actor | undefined;
}

/** `null`: illegal. The full record, so that a forgotten case does not compile. */
export const LIFECYCLE: Record<JobStatus, Record<JobAction, JobStatus | null>> = {
  PENDING: {
    start: "PROCESSING",
    progress: null,
    release: null,
    deliver: null,
    block: null,
    fail: null,
    expire: "ABORTED",
    debounce: "PENDING",
    requeue: "PENDING",
    remove: "ABORTED",
    cancel: "ABORTED",
    approve: null,
    reject: null,
    retry: null,
    regenerate: null,
  },
  PROCESSING: {
    start: null,
    progress: "PROCESSING",
    release: "PENDING",
    deliver: "DELIVERED",
    block: "BLOCKED",
    fail: "ABORTED",
    expire: null,
    debounce: null,
    requeue: null,
    remove: "ABORTED",
    cancel: "ABORTED",
    approve: null,
    reject: null,
    retry: null,
    regenerate: null,
  },
  BLOCKED: {
    start: null,
    progress: null,
    release: null,
    deliver: null,
    block: null,
    fail: null,
    expire: null,
    debounce: null,
    requeue: null,
    remove: null,
    cancel: null,
    approve: "DELIVERED",
    reject: "ABORTED",
    retry: null,
    regenerate: "PENDING",
  },
  ABORTED: {
    start: null,
    progress: null,
    release: null,
    deliver: null,
    block: null,
    fail: null,
    expire: null,
    debounce: null,
    requeue: "PENDING",
    remove: null,
    cancel: null,
    approve: null,
    reject: null,
    retry: "PENDING",
    regenerate: null,
  },
  DELIVERED: {
    start: null,
    progress: null,
    release: null,
    deliver: null,
    block: null,
    fail: null,
    expire: null,
    debounce: null,
    requeue: "PENDING",
    remove: null,
    cancel: null,
    approve: null,
    reject: null,
    retry: null,
    regenerate: null,
  },
};

/** The event that each action appends. */
export const EVENT_OF: Record<JobAction, JobEventType> = {
  start: "started",
  progress: "progress",
  release: "retrying",
  deliver: "delivered",
  block: "blocked",
  fail: "aborted",
  expire: "aborted",
  debounce: "requeued",
  requeue: "requeued",
  remove: "aborted",
  cancel: "aborted",
  approve: "approved",
  reject: "rejected",
  retry: "requeued",
  regenerate: "requeued",
};

export const CREATED_MESSAGE = "Job created and queued for processing";

/** The fields that the creator of a job provides. */
export type NewJob = Pick<Job, "id" | "kind" | "title" | "tenant" | "owner" | "input" | "batchId"> &
  Pick<StandingOptions, "expiresInMs" | "maxAttempts"> & {
    idempotencyKey?: string | undefined;
    actor?: Actor | undefined;
    /** The trace that the job's attempts belong to, as `server/tracing/` writes it. Stored beside the record, for claims alone. */
    trace?: string | undefined;
    /**
     * 0, the default, to `MAX_PRIORITY`; the tenant's jobs with more are given out first (`server/engine/turns.ts`). Stored
     * beside the record, for the queue alone, and kept when the job is queued again.
     */
    priority?: number | undefined;
    /**
     * By which the limits of its kind count it within its tenant (`server/engine/kind-limits.ts`), `MAX_LIMIT_KEY_CHARS` at most.
     * Absent: no limit of keys concerns it. Stored beside the record, for the queue alone.
     */
    key?: string | undefined;
    /** The schedule that creates it. Of no job of a batch. */
    scheduleId?: string | undefined;
    /** It does not start before. */
    startsAt?: Date | undefined;
    /** Where a job of this owner and kind with this key waits for its first start, that one takes a `debounce` instead. */
    debounce?: Debounce | undefined;
    /** Of a job that is mirrored, and of no other. Nothing runs it. */
    outside?: (Outside & { message: string }) | undefined;
  };

/** A job as it is at its creation, with its first event. Throws `BAD_REQUEST` where it lacks `outside`, or must not have it. */
export function createdJob(fresh: NewJob, at: Date): { job: Job; event: JobEvent } {
  const { id, kind, title, tenant, owner, input, batchId, actor, outside } = fresh;
  if (isOutside(kind) !== (outside !== undefined)) {
    throw new AppError("BAD_REQUEST", `"${kind}" is no kind of jobs that can be created here.`);
  }
  const { priority = 0, maxAttempts = null, expiresInMs } = fresh;
  const startsAt = firstStart(fresh, at);
  const couldStart = (startsAt ?? at).getTime();
  const job = {
    id,
    kind,
    title: cutText(title, MAX_TITLE_CHARS),
    tenant,
    owner,
    input,
    batchId,
    scheduleId: fresh.scheduleId ?? null,
    status: "PENDING",
    progress: 0,
    message:
      outside?.message ??
      (startsAt === null ? CREATED_MESSAGE : `Job queued - ${startText(startsAt)}`),
    attempt: 0,
    retries: 0,
    error: null,
    priority,
    maxAttempts,
    createdAt: at,
    startsAt,
    expiresAt: expiresInMs === undefined ? null : new Date(couldStart + expiresInMs),
    startedAt: null,
    finishedAt: null,
    version: 1,
    output: null,
  } satisfies Job & Record<Exclude<keyof Job, "details">, unknown>;
  if (outside !== undefined) Object.assign(job, { details: detailsOf(outside) });
  return { job, event: newestEvent(job, "created", at, actor) };
}

/**
 * The job after `change`, and the event that says so. Pure.
 * Throws `ILLEGAL_TRANSITION`, naming both states, when the table has no such transition, and when the job has
 * `MAX_JOB_EVENTS` events and the action could be repeated without end; and for a mirrored job as `assertMirrored` says.
 * Throws `BAD_REQUEST` when the message of the change is not a string, or its details are no JSON or too large.
 * `startsAt` and `expiresAt` hold until the first change that is no `debounce`.
 * Progress is a whole percent and never falls within an attempt. A job that is queued again has no details. Texts are cut.
 */
export function applyChange(job: Job, change: JobChange, at: Date): { job: Job; event: JobEvent } {
  assertMirrored(job, change);
  const status = LIFECYCLE[job.status][change.action];
  if (status === null) {
    throw new AppError("ILLEGAL_TRANSITION", illegal(job, change.action));
  }
  if (REPEATABLE[change.action]) refuseIfFull(job, change.action);
  const fields = changedFields(job, change, at);
  const next: Job = {
    ...job,
    startsAt: null,
    expiresAt: null,
    ...fields,
    message: messageText(change.action, fields.message),
    status,
    version: job.version + 1,
    finishedAt: isSettled(status) ? at : null,
  };
  if (change.outside !== undefined) next.details = detailsOf(change.outside);
  else if (status === "PENDING") delete next.details;
  const actor = "actor" in change ? change.actor : undefined;
  return { job: next, event: newestEvent(next, EVENT_OF[change.action], at, actor) };
}

function illegal(job: Job, action: JobAction): string {
  const target = Object.values(LIFECYCLE)
    .map((row) => row[action])
    .find((status) => status !== null);
  const from = (Object.keys(LIFECYCLE) as JobStatus[]).filter(
    (status) => LIFECYCLE[status][action],
  );
  return `Job ${job.id} is ${job.status} and cannot become ${target}: "${action}" needs ${from.join(" or ")}.`;
}
