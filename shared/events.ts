/**
 * The events of a job. Their names are defined here and nowhere else.
 * Every event carries the whole visible state after it, so any single one is enough to draw the job. A type of event has
 * exactly one status; logs store the type, and codecs derive the status from it.
 */
import type { Actor } from "./actor.ts";
import type { JobStatus } from "./job.ts";
import { isGap } from "./outside.ts";

interface VisibleState {
  jobId: string;
  /** 1, 2, 3 … for each job, without gaps in the log. It is the cursor (`lastEventId`) on every transport. */
  seq: number;
  at: Date;
  attempt: number;
  /** Whole percent. */
  progress: number;
  message: string;
  /**
   * The newest state beside percent and message that the kind reported in this attempt, in the shape of its `details`
   * schema. Absent: it reported none.
   */
  details?: unknown;
  /** The caller that caused it. Absent: the server did, or it was stored before events had actors. */
  actor?: Actor | undefined;
  /** The number of earlier `progress` events that were folded into this one for a slow watcher. */
  skipped?: number | undefined;
  /**
   * The log no longer reaches back to the watcher's cursor; this event is the current state. In the log of a mirrored job: events
   * of its queue were lost before this one.
   */
  gap?: true | undefined;
}

interface EventOf<Type extends string, Status extends JobStatus> extends VisibleState {
  type: Type;
  status: Status;
}

export type JobEvent =
  | EventOf<"created", "PENDING">
  | EventOf<"started", "PROCESSING">
  | EventOf<"progress", "PROCESSING">
  /** Released after a crash, a transient error or a shutdown. The job will be started again. */
  | EventOf<"retrying", "PENDING">
  | EventOf<"delivered", "DELIVERED">
  | EventOf<"blocked", "BLOCKED">
  | EventOf<"aborted", "ABORTED">
  | EventOf<"approved", "DELIVERED">
  | EventOf<"rejected", "ABORTED">
  /** Queued again because a person asked: `retry` or `regenerate`. */
  | EventOf<"requeued", "PENDING">;
export type JobEventType = JobEvent["type"];

/** Fields that a watch adds to an event as it delivers it. They are in no log; the gap of a mirrored job is in its details. */
type DeliveryField = "skipped" | "gap";
/** The fields of an event in a log. */
export type LoggedField = Exclude<keyof JobEvent, DeliveryField>;
/**
 * The fields of an event beside its type and status. Each must be given, also one that is optional in `JobEvent`: a codec
 * that forgets a field does not compile.
 */
export type EventFields = { [Field in Exclude<LoggedField, "type" | "status">]: JobEvent[Field] };

/** The same fields, but one without a value is absent: superjson annotates each `undefined`. */
type Built<Type, Status> = Omit<EventFields, "actor" | "details"> & {
  gap?: true;
  details?: unknown;
  actor?: Actor;
  type: Type;
  status: Status;
};

function builder<Type extends JobEventType, Status extends JobStatus>(
  type: Type,
  status: Status,
): (fields: EventFields) => Built<Type, Status> {
  return ({ jobId, seq, at, attempt, progress, message, details, actor }) => {
    const event: Built<Type, Status> = {
      jobId,
      seq,
      at,
      attempt,
      type,
      status,
      progress,
      message,
    };
    if (details !== undefined) event.details = details;
    if (isGap(details)) event.gap = true;
    if (actor !== undefined) event.actor = actor;
    return event;
  };
}

const BUILDERS: {
  [Type in JobEventType]: (fields: EventFields) => Extract<JobEvent, { type: Type }>;
} = {
  created: builder("created", "PENDING"),
  started: builder("started", "PROCESSING"),
  progress: builder("progress", "PROCESSING"),
  retrying: builder("retrying", "PENDING"),
  delivered: builder("delivered", "DELIVERED"),
  blocked: builder("blocked", "BLOCKED"),
  aborted: builder("aborted", "ABORTED"),
  approved: builder("approved", "DELIVERED"),
  rejected: builder("rejected", "ABORTED"),
  requeued: builder("requeued", "PENDING"),
};

export const JOB_EVENT_TYPES = Object.keys(BUILDERS) as JobEventType[];

/**
 * An event of this type, with the status that belongs to the type. The only way to make one. Throws for a type that this
 * version does not know: a log may be damaged, or of a newer version.
 */
export function eventOf(type: JobEventType, fields: EventFields): JobEvent {
  if (!Object.hasOwn(BUILDERS, type)) {
    throw new TypeError(
      `Event ${fields.seq} of job ${fields.jobId} has the unknown type ${JSON.stringify(type)}.`,
    );
  }
  return BUILDERS[type](fields);
}

/** One frame of a job's draft: `text` replaces everything from `offset` (UTF-16 units) on. */
export interface DraftFrame {
  jobId: string;
  /** The cursor on every transport; counts up over all attempts. */
  seq: number;
  attempt: number;
  /** 0 where the draft starts, or starts over with a new attempt. */
  offset: number;
  text: string;
  gap?: true | undefined;
}

/** The draft after `frame`. */
export function applyDraft(draft: string, frame: DraftFrame): string {
  return draft.slice(0, frame.offset) + frame.text;
}
