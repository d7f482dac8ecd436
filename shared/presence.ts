/** Presence: who looks at a job or batch, is online in a tenant, or writes a review note. Nothing is stored for good. */

/** Of one tenant: a job, a batch, or the tenant itself. */
export type PresenceTopic = `job:${string}` | `batch:${string}` | "tenant";

/** A person with a user id, however many connections and tabs they have. */
export interface PresentPerson {
  user: string;
  /** When they came. */
  since: Date;
}

/** The place that presence is of. Neither: the tenant. */
export interface PresenceOf {
  jobId?: string | undefined;
  batchId?: string | undefined;
}

export interface Presence extends PresenceOf {
  /** People with and without a name. */
  count: number;
  /** Those without a name: they have opened a share link, or the server asks no caller who it is. */
  guests: number;
  /** Those who came last, newest first: at most `MAX_SHOWN_PEOPLE`. Empty for callers who may see no names. */
  people: PresentPerson[];
  /** Those who write a note. `people`: user ids, at most `MAX_SHOWN_PEOPLE`. */
  typing: { count: number; people: string[] };
  /** When it last changed. */
  at: Date;
}

export function topicOf({ jobId, batchId }: PresenceOf): PresenceTopic {
  if (jobId !== undefined) return `job:${jobId}`;
  return batchId === undefined ? "tenant" : `batch:${batchId}`;
}

export function presenceOf(topic: PresenceTopic): PresenceOf {
  if (topic === "tenant") return {};
  const id = topic.slice(topic.indexOf(":") + 1);
  return topic.startsWith("job:") ? { jobId: id } : { batchId: id };
}

export interface DeviceRef {
  /**
   * A random text of this browser or program. Callers without a user id of their own are counted by it: those of share links, and
   * of servers without sign-in.
   */
  device?: string | undefined;
}

export interface PresenceAsked extends DeviceRef {
  /** False: the watcher is not seen by others. */
  visible?: boolean | undefined;
}
