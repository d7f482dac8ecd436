/**
 * Commands and watches for the program that a Jobwire runs in: what its clients can do, without a socket. Each takes the
 * principal that it acts for, and its scopes and ownership are checked as a client's. They reject with `AppError`.
 */
import type { Created, JobEventOf, JobOf, JobsPage, Page, SummaryOf } from "#shared/api.ts";
import type {
  BatchesQuery,
  BatchOptions,
  BatchToCreate,
  CreateOptions,
  EventsQuery,
  JobRequest,
  JobsQuery,
  JobToCreate,
  KindJobsQuery,
  LogsQuery,
  PageRequest,
} from "#shared/api-inputs.ts";
import type { Batch, BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { Job } from "#shared/job.ts";
import type { KindMap, KindTypes } from "#shared/kind-types.ts";
import type { LogFrame, LogLine } from "#shared/log-line.ts";
import type { PauseRef, PauseRequest } from "#shared/operator-api.ts";
import type { Pause } from "#shared/pause.ts";
import type { Worker, WorkerPage } from "#shared/worker.ts";
import type { OwnersAsked } from "#shared/owners-asked.ts";
import type { DeviceRef, Presence, PresenceAsked, PresenceOf } from "#shared/presence.ts";
import type { Principal } from "#shared/principal.ts";
import type { SchedulesQuery, ScheduleToUpsert } from "#shared/schedule-api.ts";
import type { ScheduleDetails, ScheduleSummary } from "#shared/schedule.ts";
import type { JobWaiting } from "#shared/waiting.ts";

export interface WatchOptions {
  /** The cursor of the last entry that was seen: `seq` of an event, `rev` of a feed's entry. "0": all of them. */
  lastEventId?: string | undefined;
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
}

export interface WatchToEnd extends WatchOptions {
  /** Goes on when the job or batch has settled. */
  follow?: boolean | undefined;
}

/** The jobs of one kind. */
export interface KindCommands<Types extends KindTypes = KindTypes> {
  create(
    principal: Principal,
    input: Types["input"],
    options?: CreateOptions,
  ): Promise<Created<Types>>;
  /** A batch of these jobs: all or none. */
  createMany(
    principal: Principal,
    inputs: readonly Types["input"][],
    options?: BatchOptions,
  ): Promise<Batch>;
  /** `NOT_FOUND` also for a job of another kind. */
  get(principal: Principal, jobId: string): Promise<JobOf<Types>>;
  list(principal: Principal, query?: KindJobsQuery): Promise<JobsPage<SummaryOf<Types>>>;
  /** Each event until the job has settled: the newest first, then as they are committed. */
  watch(
    principal: Principal,
    jobId: string,
    options?: WatchToEnd,
  ): AsyncGenerator<JobEventOf<Types>, void>;
  watchOutput(
    principal: Principal,
    jobId: string,
    options?: WatchOptions,
  ): AsyncGenerator<DraftFrame, void>;
}

export type KindsCommands<Kinds extends KindMap> = {
  readonly [Name in keyof Kinds & string]: KindCommands<Kinds[Name]>;
};

type Decide = (principal: Principal, jobId: string, note?: string) => Promise<Job>;

/** The jobs of all kinds. */
export interface JobCommands<Kinds extends KindMap = KindMap> {
  create(principal: Principal, job: JobToCreate<Kinds>): Promise<Job>;
  get(principal: Principal, jobId: string): Promise<Job>;
  list(principal: Principal, query?: JobsQuery): Promise<JobsPage>;
  /** Why the job waits. `null`: it does not. */
  waiting(principal: Principal, jobId: string): Promise<JobWaiting | null>;
  /** A page of a job's log, oldest first. */
  events(principal: Principal, query: EventsQuery): Promise<Page<JobEvent>>;
  /** A page of the lines that a job's kind logged, oldest first. */
  logs(principal: Principal, query: LogsQuery): Promise<Page<LogLine>>;
  /** These lines until the job has settled: those that are kept, then as they are stored. `lastEventId`: the `seq` of a line. */
  watchLogs(
    principal: Principal,
    jobId: string,
    options?: WatchToEnd,
  ): AsyncGenerator<LogFrame, void>;
  cancel: Decide;
  retry: Decide;
  approve: Decide;
  reject: Decide;
  regenerate: Decide;
  watch(principal: Principal, jobId: string, options?: WatchToEnd): AsyncGenerator<JobEvent, void>;
  watchOutput(
    principal: Principal,
    jobId: string,
    options?: WatchOptions,
  ): AsyncGenerator<DraftFrame, void>;
  /** Every change of the principal's jobs, or of others' with the scope `tenant`. */
  watchAll(
    principal: Principal,
    options?: WatchOptions & OwnersAsked,
  ): AsyncGenerator<FeedEntry, void>;
}

export interface BatchCommands<Kinds extends KindMap> {
  create(principal: Principal, batch: BatchToCreate<JobRequest<Kinds>>): Promise<Batch>;
  get(principal: Principal, batchId: string): Promise<Batch>;
  list(principal: Principal, query?: BatchesQuery): Promise<Page<Batch>>;
  /** Cancels every job of the batch that is not settled. */
  cancel(principal: Principal, batchId: string, note?: string): Promise<Batch>;
  watch(
    principal: Principal,
    batchId: string,
    options?: WatchToEnd,
  ): AsyncGenerator<BatchAggregate, void>;
}

/** People who look at a job or batch, or are online in the tenant. */
export interface PresenceCommands {
  /**
   * The states of a job, a batch or, with neither, of the principal's tenant: the present one first, then two a second at most. The
   * principal is seen there while it watches, unless `visible` is `false`.
   */
  watch(
    principal: Principal,
    of?: PresenceOf,
    options?: PresenceAsked & Pick<WatchOptions, "signal">,
  ): AsyncGenerator<Presence, void>;
  /** The principal writes a note about the job, for five seconds, or has stopped. */
  setTyping(
    principal: Principal,
    jobId: string,
    typing: boolean,
    options?: DeviceRef,
  ): Promise<void>;
}

export interface ScheduleCommands<Kinds extends KindMap> {
  /** Stores a schedule under its key. The same one again changes nothing. */
  upsert(principal: Principal, schedule: ScheduleToUpsert<Kinds>): Promise<ScheduleSummary>;
  list(principal: Principal, query?: SchedulesQuery): Promise<Page<ScheduleSummary>>;
  get(principal: Principal, scheduleId: string): Promise<ScheduleDetails>;
  pause(principal: Principal, scheduleId: string): Promise<ScheduleSummary>;
  resume(principal: Principal, scheduleId: string): Promise<ScheduleSummary>;
  /** Creates a job now, and leaves the times as they are. */
  trigger(principal: Principal, scheduleId: string): Promise<Job>;
  delete(principal: Principal, scheduleId: string): Promise<void>;
}

/** Workers of the instance, for a principal with the scope `operator`. */
export interface WorkerCommands {
  list(principal: Principal, query?: PageRequest): Promise<WorkerPage>;
  /** Lets a worker finish its jobs, and start no more. */
  drain(principal: Principal, workerId: string): Promise<Worker>;
  resume(principal: Principal, workerId: string): Promise<Worker>;
}

/** Without a tenant: the jobs of all. That is for operators, and a tenant for its own admins too. */
export interface PauseCommands {
  list(principal: Principal): Promise<Pause[]>;
  /** Lets jobs wait until `remove`. Those that run go on. */
  set(principal: Principal, pause?: PauseRequest): Promise<Pause>;
  remove(principal: Principal, pause?: PauseRef): Promise<Pause>;
}

export interface Commands<Kinds extends KindMap> {
  readonly kinds: KindsCommands<Kinds>;
  readonly jobs: JobCommands<Kinds>;
  readonly batches: BatchCommands<Kinds>;
  readonly presence: PresenceCommands;
  readonly schedules: ScheduleCommands<Kinds>;
  readonly workers: WorkerCommands;
  readonly pauses: PauseCommands;
}
