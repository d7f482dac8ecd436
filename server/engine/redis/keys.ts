/**
 * The names of keys and channels. All keys of a tenant have its name as their hash tag, so that they lie in one slot and one
 * script can change them. The ring of turns, which all tenants share, has one hash tag too. Scripts append to a prefix.
 */
import type { Owner, OwnerFilter } from "#shared/principal.ts";

export interface Keys {
  readonly prefix: string;
  /** The prefix of a tenant's keys: `jobwire:{acme}`. */
  tenant(tenant: string): string;
  /** The prefix of an owner's keys. */
  owner(owner: Owner): string;
  job(tenant: string, jobId: string): string;
  batch(tenant: string, batchId: string): string;
  /** Ready jobs (`queueMember`), by their rank, until `split-queue.lua` moves them to the queues of their kinds. */
  wholeQueue(tenant: string): string;
  /** PENDING jobs whose delay has not ended, by its end in ms of Redis' time. */
  delayed(tenant: string): string;
  /** Jobs that a claim holds, by the end of its lease in ms of Redis' time. */
  leased(tenant: string): string;
  /** Settled jobs of a kind, by the time at which they settled. */
  finished(tenant: string, kind: string): string;
  /** The kinds of a tenant's jobs. */
  kinds(tenant: string): string;
  /** The tenant's audit list. */
  audit(tenant: string): string;
  /** The bytes of the inputs and outputs of a tenant. Absent: 0. */
  bytes(tenant: string): string;
  /** The prefix of the tenant directory. No tenant can have this name. */
  readonly directory: string;
  /** The directory's hash that holds an id. Up to about 500,000 jobs, hashes are small enough for Redis' compact form. */
  tenantOf(id: string): string;
  /** A sign-in, by the hash of its secret: a request has nothing else. So it lies in any slot. */
  signIn(id: string): string;
  /** The sign-ins of a user, by their ends. */
  signInsOf(owner: Owner): string;
  /** A key that signs tokens. It lies in a slot of its own. */
  signingKey(id: string): string;
  readonly tenants: string;
  /** The prefix of the API keys, revocations and share links of all tenants. No tenant can have this name. */
  readonly apiKeys: string;
  /** The prefix of the schedules of all tenants. No tenant can have this name. */
  readonly schedules: string;
  /** The channel of credentials that ended. */
  readonly credentialHints: string;
  /** The prefix of the ring of turns, of the pauses and of the workers' announcements. No tenant can have this name. */
  readonly ring: string;
  /** The channel of work that comes. */
  readonly workHints: string;
  /** The channel of orders to workers: their ids. */
  readonly orderHints: string;
  /** The pauses, by their scopes. */
  readonly pauses: string;
  /** The version of the data format. */
  readonly schema: string;
  /** Exists during an import from another engine. */
  readonly importing: string;
  /** The prefix of the set of tenants that may have jobs that expire, which is its only key (`note-expiring.lua`). */
  readonly expiring: string;
  /** Exists, until it expires, after a process has ended jobs that expired. */
  readonly expired: string;
  /** Exists, until it expires, after a process has swept. */
  readonly swept: string;
  /** Written by the health check. */
  readonly alive: string;
  /** Patterns of what versions of the data before 4 had for the queue and the workers. */
  readonly oldQueue: readonly string[];
}

/** Returns a key that exists as long as any key with the prefix does: a counter, or the directory's mark. */
export function alwaysThere(prefix: string): string {
  return `${prefix}:n`;
}

/** Positions in lists are greater than the negative of this (`moves.ts`). */
const LOWEST_POSITION = 2 ** 40;

/** A job in its tenant's queue: its position in lists decides between equal ranks. Scripts write it too. */
export function queueMember(n: number, jobId: string): string {
  return `${`${n + LOWEST_POSITION}`.padStart(13, "0")} ${jobId}`;
}

export function createKeys(prefix: string): Keys {
  // An empty hash tag is none. The instance has an audit list, as tenants have.
  const tenant = (name: string) => `${prefix}:{${encodeURIComponent(name) || ":instance"}}`;
  const ofOwner = (owner: Owner) => `${tenant(owner.tenant)}:owner:${ownerKey(owner)}`;
  return {
    prefix,
    tenant,
    owner: ofOwner,
    job: (name, jobId) => `${tenant(name)}:job:${jobId}`,
    batch: (name, batchId) => `${tenant(name)}:batch:${batchId}`,
    wholeQueue: (name) => `${tenant(name)}:queue`,
    delayed: (name) => `${tenant(name)}:delayed`,
    leased: (name) => `${tenant(name)}:leased`,
    bytes: (name) => `${tenant(name)}:bytes`,
    finished: (name, kind) => `${tenant(name)}:finished:${kind}`,
    kinds: (name) => `${tenant(name)}:kinds`,
    audit: (name) => `${tenant(name)}:audit`,
    directory: `${prefix}:{:directory}`,
    tenantOf: (id) => `${prefix}:{:directory}:${id.slice(-3)}`,
    signIn: (id) => `${prefix}:sign-in:${id}`,
    signInsOf: (owner) => `${ofOwner(owner)}:sign-ins`,
    signingKey: (id) => `${prefix}:{:signing-keys}:${id}`,
    tenants: `${prefix}:tenants`,
    apiKeys: `${prefix}:{:api-keys}`,
    schedules: `${prefix}:{:schedules}`,
    credentialHints: `${prefix}:{:api-keys}:hint`,
    ring: `${prefix}:{:turns}`,
    workHints: `${prefix}:{:turns}:hint`,
    orderHints: `${prefix}:{:turns}:orders`,
    pauses: `${prefix}:{:turns}:pauses`,
    schema: `${prefix}:schema`,
    importing: `${prefix}:importing`,
    expiring: `${prefix}:{:expiring}`,
    expired: `${prefix}:expired`,
    swept: `${prefix}:swept`,
    alive: `${prefix}:alive`,
    oldQueue: [`{${prefix}}:jobs:*`, `${prefix}:workers`],
  };
}

/** Encodes an owner as part of a key. Empty: all owners of the tenant. */
export function ownerKey({ owner = "" }: Pick<OwnerFilter, "owner">): string {
  return encodeURIComponent(owner);
}
