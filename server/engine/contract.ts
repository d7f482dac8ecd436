/**
 * The promises of a storage engine. The log is the truth: everything that a watcher is ever shown was committed before
 * (S6), and a hint only says that a read may find more.
 *
 * Times in arguments (`at`, `now`) come from the machine's clock, which can be set back or forward at any moment.
 * Records store them as they are. The engine measures delays and leases itself: an embedded one by a clock of its own,
 * one with `multiProcess` may compare `now` with the `now` of other processes.
 *
 * All methods reject with `AppError`: `UNAVAILABLE` when the data cannot be written or read right now (nothing of the
 * call was stored, unless the message says that the result is not known), `DATA_UNUSABLE` when it never can.
 * `engine.suite.ts` is this file as tests; every engine passes the same.
 */
import type { Cluster, Redis } from "ioredis";
import type { AuditEntry } from "#shared/audit.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Job, JobSummary } from "#shared/job.ts";
import type { JobFilter } from "#shared/job-filter.ts";
import type { UserPage, UserQuery } from "#shared/known-user.ts";
import type { JobChange, NewJob } from "#shared/lifecycle.ts";
import type { NewLogLine } from "#shared/log-line.ts";
import type { Owner, OwnerFilter } from "#shared/principal.ts";
import type { StreamRef } from "#shared/stream-ref.ts";
import type { Assignment } from "./assignment.ts";
import type { AuditStore } from "./audit-store.ts";
import type { Backups } from "./backup.ts";
import type { ClaimRef, Claiming } from "./claiming.ts";
import type { CredentialStores } from "./credential-stores.ts";
import type { KindLimits, Waiting } from "./kind-limits.ts";
import type { MirrorStore } from "./mirror-store.ts";
import type { PauseStore } from "./pause-store.ts";
import type { PresenceStore } from "./presence-store.ts";
import type { TenantQuota, TenantUsage } from "./quota.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { SessionStore } from "./session-store.ts";
import type { Storage } from "./storage.ts";
import type { WorkerStore } from "./worker-store.ts";
import type { DraftSlice, LineSlice } from "./written.ts";

export { QuotaExceeded, type TenantQuota } from "./quota.ts";
export type { Claim, ClaimRef, ClaimRequest } from "./claiming.ts";
export type { KindLimits, Waiting } from "./kind-limits.ts";
export { isWanted, type Wanted } from "./wanted.ts";
export type { ApiKeyPage, ApiKeyQuery, ApiKeyStore } from "./api-key-store.ts";
export type { AuditStore } from "./audit-store.ts";
export type {
  EndedWithUser,
  RevocationAnswer,
  RevocationQuestion,
  RevocationStore,
} from "./revocation-store.ts";
export type {
  Session,
  SessionChange,
  SessionRef,
  SessionSaved,
  SessionStore,
} from "./session-store.ts";
export type { CredentialStores } from "./credential-stores.ts";
export type { MirrorRef, MirrorStore } from "./mirror-store.ts";
export type { PauseStore } from "./pause-store.ts";
export type { PresenceStore } from "./presence-store.ts";
export type { ShareLinkStore } from "./share-link-store.ts";
export type { SignInStore } from "./sign-in-store.ts";
export type { SigningKeyStore } from "./signing-key-store.ts";
export type { TicketStore } from "./ticket-store.ts";
export type { DraftPiece, DraftSlice, LineSlice } from "./written.ts";
export type { ListedWorker, WorkerOrder, WorkerStore } from "./worker-store.ts";
export type { Assigned } from "./assignment.ts";
export type { StreamRef } from "#shared/stream-ref.ts";

export interface Capabilities {
  /**
   * Several processes may have the same data open. Where false, a second one is refused with `DATA_UNUSABLE`, and opening the
   * data ends all leases but those of jobs that run elsewhere (`OpenOptions`): the process that held them is gone. Where true, a
   * claim finds the jobs of a dead process some time after their leases end.
   */
  readonly multiProcess: boolean;
}

/** Further connections to the Redis that the processes of a server share. Closing the engine closes them. */
export interface Connector {
  connect(): Redis | Cluster;
  /** Keys and channels of this server begin with it. */
  readonly prefix: string;
}

export interface Engine
  extends Assignment, Backups, Claiming, CredentialStores, SessionStore, Storage {
  /** For people: `sqlite`. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /**
   * Lets gateways tell each other what is not about jobs: Socket.IO's broadcasts. Absent: a broadcast reaches the clients
   * of its own gateway.
   */
  readonly connector?: Connector | undefined;

  /**
   * Stores a job, its first event and its place in the queue, together: it can be claimed once this resolves, or after the
   * process was killed then. Where `idempotencyKey` was used by this owner before, returns that first job and stores nothing.
   * `BAD_REQUEST` where the job names a batch: jobs come into a batch only with it; and where the idempotency key is no
   * well-formed Unicode, the priority no whole number 0 to `MAX_PRIORITY`, the `key` no well-formed text of
   * `MAX_LIMIT_KEY_CHARS` at most, another option out of its bounds, or the input no JSON. `QuotaExceeded` where the tenant then
   * had more than its quota.
   * With `debounce`, where a job of this owner and kind with this key waits for its first start, and no claim has it: that job
   * is changed by `debounce`, and returned as it is then. `audit` names that job. Not together with an `idempotencyKey`.
   * With `outside`, and a kind that `isOutside`: no claim gives the job, it does not count as waiting, and each `change` of it needs
   * an `outside` with a later position, else `ILLEGAL_TRANSITION`.
   */
  createJob(job: NewJob & Audited, at: Date, quota?: TenantQuota): Promise<Job>;
  /**
   * Stores a batch and all of its jobs, or nothing. Jobs are queued in the given order.
   * Each job names the batch in its `batchId`, has its owner, and a priority and a `key` as with `createJob`; one job at least.
   * Else `BAD_REQUEST`.
   * `idempotencyKey` as with `createJob`, in a key space of its own; the name is well-formed as well. `quota` as with
   * `createJob`.
   */
  createBatch(
    batch: NewBatch,
    jobs: readonly NewJob[],
    at: Date,
    quota?: TenantQuota,
  ): Promise<BatchRecord>;
  /** Reads the usage of a tenant, in constant time. A change of a job and its effect on the usage are one commit. */
  usage(tenant: string): Promise<TenantUsage>;

  getJob(jobId: string): Promise<Job | undefined>;
  /** The same without `input` and `output`, and without the cost of reading them. */
  getSummary(jobId: string): Promise<JobSummary | undefined>;
  /** Newest first. */
  listJobs(query: JobQuery): Promise<JobPage>;
  /**
   * Why the job waits, in logarithmic time. `undefined`: it does not wait, because there is no such job, it is not PENDING, or a
   * runner holds it. `limits`: those of its kind.
   */
  waiting(jobId: string, limits?: KindLimits): Promise<Waiting | undefined>;
  getBatch(batchId: string): Promise<BatchRecord | undefined>;
  /** Newest first. */
  listBatches(query: BatchQuery): Promise<BatchPage>;

  /**
   * The one way a job changes: `applyChange` on the newest record; record, log entry, place in the queue and the batch's
   * counts change together or not at all. Answers after the commit. With a `claim`, only while that claim holds the job, else
   * `CLAIM_LOST`. Settling and releasing end the claim, from whichever side they come. `NOT_FOUND`, `ILLEGAL_TRANSITION` as
   * they say. `BAD_REQUEST` where the message is no text or the output no JSON; percents become whole numbers 0..100, and
   * texts are cut (`shared/limits.ts`).
   */
  change(jobId: string, change: JobChange & Audited, at: Date, claim?: ClaimRef): Promise<Changed>;

  /** Events with `seq > after`, in order, `limit` at most. `undefined`: no such job. */
  readEvents(jobId: string, after: number, limit: number): Promise<EventSlice | undefined>;
  /** Jobs that changed after a cursor, each once, in the order of their newest change. */
  readFeed(of: OwnerFilter, after: number, limit: number): Promise<FeedSlice>;

  /**
   * Appends text to the draft of the attempt that holds the claim; the first call of an attempt starts the draft
   * over. Returns the length of the draft then, in UTF-16 units. `NOT_FOUND` and `CLAIM_LOST` as with `change`;
   * `ILLEGAL_TRANSITION` while the job is not PROCESSING.
   * `at`: the length that the draft has before the text, so that a call can be repeated. A draft that has more already, by the
   * length of the text at least, is left as it is; `BAD_REQUEST` where it ends elsewhere.
   */
  appendDraft(claim: ClaimRef, text: string, at?: number): Promise<number>;
  /** Pieces with `seq > after` of the newest attempt that wrote any, in order. `undefined`: no such job. */
  readDraft(jobId: string, after: number): Promise<DraftSlice | undefined>;

  /**
   * Appends log lines of the attempt that holds the claim, in order. A job keeps its newest `MAX_LOG_LINES`, of all attempts.
   * `NOT_FOUND`, `CLAIM_LOST` and `ILLEGAL_TRANSITION` as with `appendDraft`.
   */
  appendLines(claim: ClaimRef, lines: readonly NewLogLine[]): Promise<void>;
  /** Kept lines with `seq > after`, in order, `limit` at most. `undefined`: no such job. */
  readLines(jobId: string, after: number, limit: number): Promise<LineSlice | undefined>;

  readonly audit: AuditStore;
  readonly mirrors: MirrorStore;
  readonly pauses: PauseStore;
  readonly presence: PresenceStore;
  readonly schedules: ScheduleStore;
  readonly workers: WorkerStore;
  /**
   * A page of users, ordered by tenant and user in UTF-8: who has jobs, API keys or sign-ins, and who was revoked. The engine
   * decides how many a page has.
   */
  listUsers(query: UserQuery, now: Date): Promise<UserPage>;

  /**
   * Deletes jobs that settled before `before`, of each tenant and kind the oldest first, with their logs, drafts, log lines and
   * idempotency keys, and batches left empty. A batch that keeps some of its jobs keeps its counts: they say what happened.
   * `kinds`: times that count for jobs of these kinds in its place. `null`: none is deleted. At most `limit` jobs; returns how
   * many. Jobs that are kept cost nothing, however many.
   */
  prune(before: PruneTime, limit: number, kinds?: ReadonlyMap<string, PruneTime>): Promise<number>;

  /**
   * Hints that something was committed to a stream: to a job's log, its draft and its log lines (both also when an attempt
   * starts or the job settles), its batch's counts, the feeds of its owner and tenant. A hint may be lost, late, doubled or
   * out of order; it never comes before its commit. Resolves once hints flow; the returned function ends them. There are no
   * hints about what does not exist yet.
   */
  onAppend(stream: StreamRef, listener: (hint: Hint) => void): Promise<() => void>;
  /**
   * Hints that a claim would find something now, after one that found less than it asked for: a job was queued, became
   * due, lost its runner, or is held back no more by the limits of that claim. A listener that has not claimed since may get no second hint.
   */
  onWork(listener: () => void): () => void;
  /**
   * The engine itself ends jobs that expire, within seconds and once, whichever processes have it open, as a `change` that
   * settles a job. No claim gives one that has expired. Tells the events of those that this process ended.
   */
  onExpired(listener: (event: JobEvent) => void): () => void;

  /**
   * Hints that a credential was ended: an API key or a token was revoked, a user was, or a sign-in was removed. Like those of
   * `onAppend` they may be lost, late or doubled, and never come before the commit.
   */
  onCredentialEnd(listener: (hint: CredentialHint) => void): Promise<() => void>;

  /**
   * True if the last write did not fail, and the connection to the data is open. It costs nothing, and is not as certain as
   * `health`: a fault that no call has met is not known.
   */
  isAvailable(): boolean;
  /** Resolves when the data can be read and the last write did not fail; rejects with `UNAVAILABLE` otherwise. */
  health(): Promise<void>;
  /** Finishes pending calls, then releases everything. Idempotent; later calls reject with `UNAVAILABLE`. */
  close(): Promise<void>;
}

/** `null`: never. */
export type PruneTime = Date | null;

/** A change of data with its entry in the audit list of the tenant. */
export interface Audited {
  /** Stored in the same commit, or not at all where the change is refused or stores nothing. */
  audit?: AuditEntry | undefined;
}

export interface NewBatch extends Owner, Audited {
  id: string;
  name: string | null;
  idempotencyKey?: string | undefined;
}

export interface JobQuery extends OwnerFilter, JobFilter {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit: number;
}

export interface JobPage {
  items: JobSummary[];
  nextCursor: string | null;
  /** The cursor of the same feed, read no later than the items: a feed from here on misses nothing. */
  feed: number;
}

export interface BatchQuery extends OwnerFilter {
  cursor?: string | undefined;
  limit: number;
}

export interface BatchPage {
  items: BatchRecord[];
  nextCursor: string | null;
}

export interface Changed {
  /** Without input and output, so that a step of progress costs the same whatever the job holds. */
  job: JobSummary;
  event: JobEvent;
}

export interface EventSlice {
  events: JobEvent[];
  /** The newest event of the log, read at the same moment. */
  newest: JobEvent;
}

export interface FeedChange {
  /** The feed cursor: counts up with every change of any job of the tenant. */
  rev: number;
  job: JobSummary;
}

export interface FeedSlice {
  changes: FeedChange[];
  /** The newest cursor of this feed. Never less than before, also where all of its jobs were deleted. */
  head: number;
}

/** `event` is there where a job's log grew and the engine has the entry at hand. */
export interface Hint {
  event?: JobEvent;
}
