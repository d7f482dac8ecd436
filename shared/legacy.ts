/**
 * The wire of the older Python system: event names and payloads that deployed Socket.IO clients rely on.
 * They are a contract and never change. Pure: the core knows nothing of them.
 */
import type { BatchAggregate } from "./batch.ts";
import type { JobEvent } from "./events.ts";
import type { FeedEntry } from "./feed.ts";
import type { JobStatus } from "./job.ts";
import type { LegacyWaiting } from "./legacy-waiting.ts";
import type { Presence, PresenceOf } from "./presence.ts";

/** Names of events from server to client. */
export const LEGACY = {
  connection: "connection",
  subscribed: "subscribed",
  subscriptionError: "subscription:error",
  jobUpdate: "job:update",
  jobCompleted: "job:completed",
  jobError: "job:error",
  batchUpdate: "batch:update",
  presenceUpdate: "presence:update",
  typingUpdate: "typing:update",
} as const;

/** Names of events from client to server. */
export const LEGACY_REQUEST = {
  subscribeJob: "subscribe:job",
  unsubscribeJob: "unsubscribe:job",
  subscribeBatch: "subscribe:batch",
  unsubscribeBatch: "unsubscribe:batch",
  subscribePresence: "subscribe:presence",
  unsubscribePresence: "unsubscribe:presence",
  subscribeFeed: "subscribe:feed",
  unsubscribeFeed: "unsubscribe:feed",
} as const;
export type LegacyRequestName = (typeof LEGACY_REQUEST)[keyof typeof LEGACY_REQUEST];

/** The client writes a note about a job, or has stopped. */
export const LEGACY_TYPING = { start: "typing:start", stop: "typing:stop" } as const;

/**
 * Replaces the token of a connection, so that it lives on. The older system had no such event. Its acknowledgement has
 * `expires_in_ms`.
 */
export const AUTH_REFRESH = "auth:refresh";

/** The payload of `connection`, sent when a client has connected. */
export interface LegacyConnection {
  connected: true;
  session_id: string;
}

/** The payload of `subscribed`: the requested id, or that it is the feed. */
export interface LegacyIds {
  job_id?: string | undefined;
  batch_id?: string | undefined;
  /** Of the presence of the job or batch, or of the tenant where neither is there. */
  presence?: true | undefined;
  feed?: true | undefined;
  /** The feed of the whole tenant. */
  all_owners?: true | undefined;
}

/** `job:update`, `job:completed` and `job:error` carry the same fields. */
export interface LegacyJobPayload {
  job_id: string;
  status: JobStatus;
  progress: number;
  message: string;
  /** ISO 8601 with milliseconds and Z. */
  timestamp: string;
}

export interface LegacyBatchPayload {
  batch_id: string;
  total: number;
  completed: number;
  progress: number;
  status: string;
  message: string;
  timestamp: string;
}

interface LegacyPresenceIds {
  job_id?: string | undefined;
  batch_id?: string | undefined;
}

/** The older system had no presence. Without an id it is that of the tenant. */
export interface LegacyPresencePayload extends LegacyPresenceIds {
  count: number;
  guests: number;
  /** Newest first. */
  people: { user: string; since: string }[];
  timestamp: string;
}

export interface LegacyTypingPayload extends LegacyPresenceIds {
  count: number;
  people: string[];
  timestamp: string;
}

/** Sent beside the acknowledgement of a request that failed. The older system sent nothing. */
export interface LegacySubscriptionError extends LegacyIds {
  code: string;
  message: string;
  /** With the code `RATE_LIMITED`: when the same request may succeed, from now. */
  retry_after_ms?: number | undefined;
}

/** The argument of the acknowledgement callback, if the client passed one. */
export type LegacyAnswer =
  | { ok: true; expires_in_ms?: number | null; waiting?: LegacyWaiting | null }
  | { ok: false; error: { code: string; message: string; retry_after_ms?: number } };

export interface LegacyMessage {
  name: (typeof LEGACY)[
    | "jobUpdate"
    | "jobCompleted"
    | "jobError"
    | "batchUpdate"
    | "presenceUpdate"
    | "typingUpdate"];
  payload: LegacyJobPayload | LegacyBatchPayload | LegacyPresencePayload | LegacyTypingPayload;
}

/** One job event as legacy clients see it, in the order in which they are to be sent. */
export function legacyOfJob(event: JobEvent): LegacyMessage[] {
  const payload = payloadOf(event, event.jobId, event.at);
  const update: LegacyMessage = { name: LEGACY.jobUpdate, payload };
  if (event.status === "ABORTED") return [{ name: LEGACY.jobError, payload }, update];
  if (event.status === "DELIVERED") return [{ name: LEGACY.jobCompleted, payload }, update];
  return [update];
}

/**
 * A job of a feed, as an update alone. Feeds do not have the time of each event: a job that has more than one and has not settled
 * has the time `seenAt`.
 */
export function legacyOfFeed({ job }: FeedEntry, seenAt: Date): LegacyMessage[] {
  if (job === null) return [];
  const at = job.finishedAt ?? (job.version === 1 ? job.createdAt : seenAt);
  return [{ name: LEGACY.jobUpdate, payload: payloadOf(job, job.id, at) }];
}

function payloadOf(
  state: Pick<JobEvent, "status" | "progress" | "message">,
  jobId: string,
  at: Date,
): LegacyJobPayload {
  const { status, message } = state;
  return {
    job_id: jobId,
    status,
    progress: progressOf(state),
    message: status === "ABORTED" ? `Error: ${message}` : message,
    timestamp: at.toISOString(),
  };
}

/** The older system derived it from the status: 0 for an aborted job, 100 for one that waits for a review. */
function progressOf({ status, progress }: Pick<JobEvent, "status" | "progress">): number {
  if (status === "ABORTED") return 0;
  return status === "BLOCKED" ? 100 : progress;
}

export function legacyOfBatch(aggregate: BatchAggregate): LegacyMessage[] {
  const { batchId, total, completed, progress, status, message, at } = aggregate;
  const payload: LegacyBatchPayload = {
    batch_id: batchId,
    total,
    completed,
    progress,
    status,
    message,
    timestamp: at.toISOString(),
  };
  return [{ name: LEGACY.batchUpdate, payload }];
}

/** Of a job, who writes precedes who is there. */
export function legacyOfPresence(presence: Presence): LegacyMessage[] {
  const { count, guests, people, typing, at } = presence;
  const [ids, timestamp] = [presenceIdsOf(presence), at.toISOString()];
  const there = people.map(({ user, since }) => ({ user, since: since.toISOString() }));
  const update: LegacyMessage = {
    name: LEGACY.presenceUpdate,
    payload: { ...ids, count, guests, people: there, timestamp },
  };
  if (presence.jobId === undefined) return [update];
  return [{ name: LEGACY.typingUpdate, payload: { ...ids, ...typing, timestamp } }, update];
}

export function presenceIdsOf({ jobId, batchId }: PresenceOf): LegacyPresenceIds {
  if (jobId !== undefined) return { job_id: jobId };
  return batchId === undefined ? {} : { batch_id: batchId };
}
