/**
 * The procedures of a server, as types. Clients infer their calls from `ApiRouter` and import nothing of the server;
 * `server/transports/trpc/router.test-d.ts` does not compile unless the server's router has exactly these. Their inputs are in
 * `api-inputs.ts`.
 */
// For tRPC's declarations, in programs that check those of their packages and have an older `lib`.
/// <reference lib="esnext.disposable" preserve="true" />
import type {
  TRPCBuiltRouter,
  TRPCDefaultErrorShape,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPCSubscriptionProcedure,
} from "@trpc/server";
import type {
  AuditQuery,
  BatchCancel,
  BatchesQuery,
  BatchLinkRef,
  BatchPresenceWatch,
  BatchRef,
  BatchShareRequest,
  BatchToCreate,
  BatchWatch,
  DraftWatch,
  EventsQuery,
  FeedWatch,
  InputOnly,
  InputToCreate,
  JobDecision,
  JobLinkRef,
  JobPresenceWatch,
  JobRef,
  JobRequest,
  JobShareRequest,
  JobsQuery,
  JobToCreate,
  JobWatch,
  KindJobsQuery,
  LogsQuery,
  PresenceWatch,
  TypingRequest,
} from "./api-inputs.ts";
import type { AuditItem } from "./audit.ts";
import type { Batch, BatchAggregate } from "./batch.ts";
import type { ErrorCode } from "./errors.ts";
import type { DraftFrame, JobEvent } from "./events.ts";
import type { FeedEntry } from "./feed.ts";
import type { Job, JobSummary } from "./job.ts";
import type { KindPolicies } from "./kind-policies.ts";
import type { KindMap, KindTypes } from "./kind-types.ts";
import type { LogFrame, LogLine } from "./log-line.ts";
import type { PauseApi, WorkerApi } from "./operator-api.ts";
import type { Presence } from "./presence.ts";
import type { Principal } from "./principal.ts";
import type { Revoked, RevokeRequest } from "./revocation.ts";
import type { ScheduleApi } from "./schedule-api.ts";
import type { Share, SharedLink, Ticket } from "./share.ts";
import type { JobWaiting } from "./waiting.ts";

/** `Kinds`: the server's kinds, for programs that know them. `Own`: tRPC's record of its own procedures. */
export type ApiRouter<Kinds extends KindMap = KindMap, Own = unknown> = TRPCBuiltRouter<
  ApiTypes,
  Api<Kinds> & Own
>;

/** The types that all procedures share in tRPC. `ctx` stays in the server. */
interface ApiTypes {
  ctx: object;
  meta: object;
  errorShape: ApiError;
  transformer: true;
}

/** A type and no interface: tRPC's records of procedures have an index signature. */
export type Api<Kinds extends KindMap = KindMap> = {
  audit: {
    /** What was done in the caller's tenant, newest first. With a filter, pages may be short, or empty, before the last one. */
    list: Query<AuditQuery | undefined, Page<AuditItem>>;
  };
  auth: {
    /** Describes the caller. */
    me: Query<void, CallerInfo>;
    /** Replaces the token of a WebSocket, so that the connection lives on. */
    refresh: Mutation<{ token: string }, CallerInfo>;
    /** Issues a ticket for the address of one subscription: `EventSource` cannot send a token. */
    ticket: Mutation<{ path: string; input: unknown }, Ticket>;
    /** Ends a token, or all that a user was issued, in the caller's tenant. Answers with what it ended. */
    revoke: Mutation<RevokeRequest, Revoked>;
  };
  job: {
    create: Mutation<JobToCreate<Kinds>, Job>;
    get: Query<JobRef, Job>;
    list: Query<JobsQuery | undefined, JobsPage>;
    /** Why the job waits. `null`: it does not. */
    waiting: Query<JobRef, JobWaiting | null>;
    /** A page of a job's log, oldest first. */
    events: Query<EventsQuery, Page<JobEvent>>;
    /** A page of the lines that the job's kind logged, oldest first. */
    logs: Query<LogsQuery, Page<LogLine>>;
    share: Mutation<JobShareRequest, Share>;
    /** Without `linkId` all links of the job. Answers with their number. */
    unshare: Mutation<JobLinkRef, number>;
    links: Query<JobRef, SharedLink[]>;
    cancel: Mutation<JobDecision, Job>;
    retry: Mutation<JobDecision, Job>;
    approve: Mutation<JobDecision, Job>;
    reject: Mutation<JobDecision, Job>;
    regenerate: Mutation<JobDecision, Job>;
    onUpdate: Subscription<JobWatch, JobEvent>;
    onOutput: Subscription<DraftWatch, DraftFrame>;
    /** The lines that the job's kind logs: those that are kept, then further ones. */
    onLog: Subscription<JobWatch, LogFrame>;
    /** Shows who looks at the job, and who writes a note. The watcher is one of them, unless it asks not to be `visible`. */
    onPresence: Subscription<JobPresenceWatch, Presence>;
    /** The caller writes a note about the job, or has stopped. It counts for five seconds. */
    typing: Mutation<TypingRequest, void>;
  };
  batch: {
    create: Mutation<BatchToCreate<JobRequest<Kinds>>, Batch>;
    get: Query<BatchRef, Batch>;
    list: Query<BatchesQuery | undefined, Page<Batch>>;
    /** Cancels every job of the batch that is not settled. */
    cancel: Mutation<BatchCancel, Batch>;
    share: Mutation<BatchShareRequest, Share>;
    /** Without `linkId` all links of the batch. Answers with their number. */
    unshare: Mutation<BatchLinkRef, number>;
    links: Query<BatchRef, SharedLink[]>;
    onUpdate: Subscription<BatchWatch, BatchAggregate>;
    onPresence: Subscription<BatchPresenceWatch, Presence>;
  };
  feed: {
    onUpdate: Subscription<FeedWatch | undefined, FeedEntry>;
  };
  presence: {
    /** Shows who is online in the tenant. Without the scope `tenant`, the watcher sees itself alone. */
    onUpdate: Subscription<PresenceWatch | undefined, Presence>;
  };
  pause: PauseApi;
  schedule: ScheduleApi<Kinds>;
  /** The jobs of one kind, with its types. A job of another kind is not found. */
  kinds: { [Name in keyof Kinds & string]: KindApi<Kinds[Name]> };
  kind: {
    list: Query<void, KindInfo[]>;
  };
  worker: WorkerApi;
  system: {
    info: Query<void, SystemInfo>;
    onState: TRPCSubscriptionProcedure<Definition<void, AsyncIterable<SystemState, void, void>>>;
  };
};

/** A type and no interface, as `Api`. */
export type KindApi<Types extends KindTypes> = {
  create: Mutation<InputToCreate<Types>, Created<Types>>;
  /** All or none. */
  createMany: Mutation<BatchToCreate<InputOnly<Types>>, Batch>;
  get: Query<JobRef, JobOf<Types>>;
  list: Query<KindJobsQuery | undefined, JobsPage<SummaryOf<Types>>>;
  onUpdate: Subscription<JobWatch, JobEventOf<Types>>;
  onOutput: Subscription<DraftWatch, DraftFrame>;
};

/** The paths of all procedures. `kinds.*` stands for the name of each kind. */
export type ProcedurePath = PathsOf<Omit<Api, "kinds">> | `kinds.*.${keyof KindApi<KindTypes>}`;
type PathsOf<Routers> = {
  [Name in keyof Routers & string]: `${Name}.${keyof Routers[Name] & string}`;
}[keyof Routers & string];

/** A tRPC procedure's input as clients send it, and its output. */
export interface Definition<Input, Output> {
  meta: object;
  input: Input;
  output: Output;
  errorShape: ApiError;
}
export type Query<Input, Output> = TRPCQueryProcedure<Definition<Input, Output>>;
export type Mutation<Input, Output> = TRPCMutationProcedure<Definition<Input, Output>>;
/** `id` is the entry's cursor: `lastEventId` resumes after it. */
export type Subscription<Input, Data> = TRPCSubscriptionProcedure<
  Definition<Input, AsyncIterable<{ id: string; data: Data }, void, void>>
>;

/** The answer to a call that failed. */
export interface ApiError extends TRPCDefaultErrorShape {
  data: TRPCDefaultErrorShape["data"] & {
    appCode: ErrorCode;
    /** `null` unless the input is the fault. */
    zodError: FlatIssues | null;
    /** With `RATE_LIMITED`: when the same call may succeed, in milliseconds from now. */
    retryAfterMs?: number;
  };
}

/** The shape of zod's `flattenError`, with whole paths (`jobs.2.input.targetUrl`) as names of fields. */
export interface FlatIssues {
  formErrors: string[];
  fieldErrors: Record<string, string[]>;
}

export interface Page<Item> {
  items: Item[];
  /** The `cursor` of the next page; `null`: there is none. */
  nextCursor: string | null;
}

export interface JobsPage<Item = JobSummary> extends Page<Item> {
  /** The cursor of the same feed, read no later than the items: a feed from here on misses nothing. */
  feed: number;
}

export interface CallerInfo extends Principal {
  /** `null` for credentials that do not end. */
  expiresInMs: number | null;
}

/** A kind as programs see it. */
export interface KindInfo {
  name: string;
  description: string;
  /** JSON Schema of the input, as callers send it. */
  input: Record<string, unknown>;
  /** JSON Schema of the details, as they are stored. Absent: the kind reports none. */
  details?: Record<string, unknown>;
  /** JSON Schema of the output, as it is stored. */
  output: Record<string, unknown>;
  /** Workers of other programs run its jobs. */
  remote?: true;
  /** Absent: the kind has none, and the server's settings hold. */
  policies?: KindPolicies;
}

export interface SummaryOf<Types extends KindTypes> extends JobSummary {
  details?: Types["details"];
}
export type JobEventOf<Types extends KindTypes> = unknown extends Types["details"]
  ? JobEvent
  : JobEvent & { details?: Types["details"] };
/** `output` is `null` until the job is DELIVERED or BLOCKED. */
export interface JobOf<Types extends KindTypes> extends SummaryOf<Types> {
  input: Types["parsed"];
  output: Types["output"] | null;
}
/** `input` is `null` for callers that may create jobs and may not read them. */
export interface Created<Types extends KindTypes> extends SummaryOf<Types> {
  input: Types["parsed"] | null;
  output: Types["output"] | null;
}

export interface SystemInfo {
  version: string;
  engine: string;
  limits: { maxBatchJobs: number; concurrency: number; maxAttempts: number };
}

export interface SystemState {
  /** The server cannot read its data, so clients may see old states. The server recovers by itself. */
  stale: boolean;
}
