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
 */
import type { Actor } from "./actor.ts";
import { cutText } from "./cut-text.ts";
import { AppError } from "./errors.ts";
import type { JobEvent, JobEventType } from "./events.ts";
import { isSettled, type Job, type JobError, type JobStatus } from "./job.ts";
import { boundedError, messageText, refuseIfFull, wholePercent } from "./job-fields.ts";
import { MAX_MESSAGE_CHARS, MAX_TITLE_CHARS } from "./limits.ts";
import { newestEvent } from "./newest-event.ts";
import { storedDetails } from "./stored-details.ts";

/** Actions on a job. Runners take the first six, people the others. */
export type JobChange =
  | { action: "start"; progress: number; message: string }
  /** Without `details` the job keeps those that it has. */
  | { action: "progress"; progress: number; message: string; details?: unknown }
  /** Back into the queue, for a start `delayMs` after that was stored (0 to `MAX_DELAY_MS`). `counts`: it uses up a retry. */
  | { action: "release"; message: string; delayMs: number; counts: boolean }
  | { action: "deliver"; message: string; output: unknown }
  | { action: "block"; message: string; output: unknown }
  | { action: "fail"; error: JobError }
  | Decided<"cancel">
  | Decided<"approve">
  | Decided<"reject">
  | Decided<"retry">
  | Decided<"regenerate">;
export type JobAction = JobChange["action"];

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
  cancel: "aborted",
  approve: "approved",
  reject: "rejected",
  retry: "requeued",
  regenerate: "requeued",
};

/** Actions that can be repeated without end, so the length of the log limits them. The others end the job, or follow one of these. */
const REPEATABLE: Record<JobAction, boolean> = {
  start: false,
  progress: true,
  release: false,
  deliver: false,
  block: false,
  fail: false,
  cancel: false,
  approve: false,
  reject: false,
  retry: true,
  regenerate: true,
};

export const CREATED_MESSAGE = "Job created and queued for processing";

/** The fields that the creator of a job provides. */
export type NewJob = Pick<
  Job,
  "id" | "kind" | "title" | "tenant" | "owner" | "input" | "batchId"
> & {
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
};

/** A job as it is at its creation, with its first event. */
export function createdJob(fresh: NewJob, at: Date): { job: Job; event: JobEvent } {
  const { id, kind, title, tenant, owner, input, batchId, actor } = fresh;
  const job = {
    id,
    kind,
    title: cutText(title, MAX_TITLE_CHARS),
    tenant,
    owner,
    input,
    batchId,
    status: "PENDING",
    progress: 0,
    message: CREATED_MESSAGE,
    attempt: 0,
    retries: 0,
    error: null,
    createdAt: at,
    startedAt: null,
    finishedAt: null,
    version: 1,
    output: null,
  } satisfies Job & Record<Exclude<keyof Job, "details">, unknown>;
  return { job, event: newestEvent(job, "created", at, actor) };
}

/**
 * The job after `change`, and the event that says so. Pure.
 * Throws `ILLEGAL_TRANSITION`, naming both states, when the table has no such transition, and when the job has
 * `MAX_JOB_EVENTS` events and the action could be repeated without end.
 * Throws `BAD_REQUEST` when the message of the change is not a string, or its details are no JSON or too large.
 * Progress is a whole percent and never falls within an attempt. A job that is queued again has no details. Texts are cut.
 */
export function applyChange(job: Job, change: JobChange, at: Date): { job: Job; event: JobEvent } {
  const status = LIFECYCLE[job.status][change.action];
  if (status === null) {
    throw new AppError("ILLEGAL_TRANSITION", illegal(job, change.action));
  }
  if (REPEATABLE[change.action]) refuseIfFull(job, change.action);
  const fields = changedFields(job, change, at);
  const next: Job = {
    ...job,
    ...fields,
    message: messageText(change.action, fields.message),
    status,
    version: job.version + 1,
    finishedAt: isSettled(status) ? at : null,
  };
  if (status === "PENDING") delete next.details;
  const actor = "actor" in change ? change.actor : undefined;
  return { job: next, event: newestEvent(next, EVENT_OF[change.action], at, actor) };
}

type Fields = Partial<Job> & { message: string };

function changedFields(job: Job, change: JobChange, at: Date): Fields {
  switch (change.action) {
    case "start":
      return {
        progress: wholePercent(change.progress),
        message: change.message,
        attempt: job.attempt + 1,
        startedAt: at,
      };
    case "progress": {
      const progress = Math.max(job.progress, wholePercent(change.progress));
      const { message, details } = change;
      if (details === undefined) return { progress, message };
      return { progress, message, details: storedDetails(details) };
    }
    case "release":
      return {
        progress: 0,
        message: change.message,
        retries: job.retries + (change.counts ? 1 : 0),
        startedAt: null,
      };
    case "deliver":
      return { progress: 100, message: change.message, output: change.output };
    case "block":
      return { message: change.message, output: change.output };
    case "fail": {
      const error = boundedError(change.error);
      return { message: error.message, error };
    }
    case "cancel":
      return ended("CANCELLED", "Cancelled", change.note);
    case "reject":
      return ended("REJECTED", "Rejected", change.note);
    case "approve":
      return { progress: 100, message: withNote("Approved", change.note) };
    case "retry":
      return queuedAgain("Queued again", change.note);
    case "regenerate":
      return queuedAgain("Queued to be made anew", change.note);
  }
}

function ended(code: string, word: string, note: string | undefined): Fields {
  const message = cutText(withNote(word, note), MAX_MESSAGE_CHARS);
  return { message, error: { code, message } };
}

function queuedAgain(word: string, note: string | undefined): Fields {
  return {
    progress: 0,
    message: withNote(word, note),
    retries: 0,
    error: null,
    output: null,
    startedAt: null,
  };
}

function withNote(word: string, note: string | undefined): string {
  return note === undefined || note === "" ? word : `${word}: ${note}`;
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
