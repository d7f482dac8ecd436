/** The inputs of the procedures in `api.ts`, as clients send them. */
import type { AuditAction } from "./audit.ts";
import type { Debounced, QueueOptions } from "./create-options.ts";
import type { JobFilter } from "./job-filter.ts";
import type { KindMap, KindTypes } from "./kind-types.ts";
import type { OwnersAsked } from "./owners-asked.ts";
import type { DeviceRef, PresenceAsked } from "./presence.ts";
import type { ShareRequest } from "./share.ts";

export interface JobRef {
  jobId: string;
}
export interface BatchRef {
  batchId: string;
}
/** A share link. Absent: all of the job or batch. */
interface LinkRef {
  linkId?: string | undefined;
}
interface Note {
  note?: string | undefined;
}
export interface PageRequest {
  /** `nextCursor` of the page before. */
  cursor?: string | null | undefined;
  limit?: number | undefined;
}
interface Resume {
  /** The id of the newest entry that the client has. Absent: the current state first. "0": everything. */
  lastEventId?: string | null | undefined;
}
interface Follow {
  /** True: the stream goes on when the job or batch has settled. */
  follow?: boolean | undefined;
}
export interface Keyed {
  /** A second request with the same key creates nothing, and is answered with what the first one created. */
  idempotencyKey?: string | undefined;
}

/** The union of all kinds: the name tells which input it takes. */
export type JobRequest<Kinds extends KindMap = KindMap> = {
  [Name in keyof Kinds & string]: { kind: Name; input: Kinds[Name]["input"] };
}[keyof Kinds & string];
export type JobToCreate<Kinds extends KindMap = KindMap> = {
  [Name in keyof Kinds & string]: InputToCreateOf<Name, Kinds[Name]>;
}[keyof Kinds & string];
interface InputToCreateOf<
  Name extends string,
  Types extends KindTypes,
> extends InputToCreate<Types> {
  kind: Name;
}
/** Options that the creator of a job may give beside its kind and input. */
export interface CreateOptions extends QueueOptions, Debounced, Keyed {}
/** For all jobs of the batch. */
export interface BatchOptions extends QueueOptions, Keyed {
  name?: string | undefined;
}
export interface BatchToCreate<Row = JobRequest> extends BatchOptions {
  jobs: Row[];
}
export interface InputOnly<Types extends KindTypes> {
  input: Types["input"];
}
export interface InputToCreate<Types extends KindTypes> extends InputOnly<Types>, CreateOptions {}

export interface KindJobsQuery extends PageRequest, OwnersAsked, Omit<JobFilter, "kind"> {}
export interface JobsQuery extends PageRequest, OwnersAsked, JobFilter {}
export interface EventsQuery extends JobRef, PageRequest {}
export interface LogsQuery extends JobRef, PageRequest {}
export interface BatchesQuery extends PageRequest, OwnersAsked {}
export interface AuditQuery extends PageRequest {
  user?: string | undefined;
  action?: AuditAction | undefined;
}

export interface JobDecision extends JobRef, Note {}
export interface BatchCancel extends BatchRef, Note {}

export interface JobShareRequest extends JobRef, ShareRequest {}
export interface JobLinkRef extends JobRef, LinkRef {}
export interface BatchShareRequest extends BatchRef, ShareRequest {}
export interface BatchLinkRef extends BatchRef, LinkRef {}

export interface JobWatch extends JobRef, Resume, Follow {}
export interface DraftWatch extends JobRef, Resume {}
export interface BatchWatch extends BatchRef, Resume, Follow {}
export interface PresenceWatch extends Resume, PresenceAsked {}
export interface JobPresenceWatch extends JobRef, PresenceWatch {}
export interface BatchPresenceWatch extends BatchRef, PresenceWatch {}
export interface TypingRequest extends JobRef, DeviceRef {
  /** Default: true. */
  typing?: boolean | undefined;
}
export interface FeedWatch extends Resume, OwnersAsked {}
