/**
 * The names of keys and channels. All keys of a tenant have its name as their hash tag, so that they lie in one slot and one
 * script can change them. The queue, which all tenants share, has one hash tag too. Scripts append to a tenant's prefix.
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
  /** Jobs that are not settled, by the time from which a claim may take them. */
  open(tenant: string): string;
  /** Settled jobs, by the time at which they settled. */
  finished(tenant: string): string;
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
  readonly workers: string;
  /** The version of the data format. */
  readonly schema: string;
  /** Exists during an import from another engine. */
  readonly importing: string;
  /** Exists, until it expires, after a process has swept. */
  readonly swept: string;
  /** Written by the health check. */
  readonly alive: string;
  /** BullMQ's prefix. */
  readonly queue: string;
}

/** Returns a key that exists as long as any key with the prefix does: a counter, or the directory's mark. */
export function alwaysThere(prefix: string): string {
  return `${prefix}:n`;
}

export function createKeys(prefix: string): Keys {
  const tenant = (name: string) => `${prefix}:{${encodeURIComponent(name)}}`;
  const ofOwner = (owner: Owner) => `${tenant(owner.tenant)}:owner:${ownerKey(owner)}`;
  return {
    prefix,
    tenant,
    owner: ofOwner,
    job: (name, jobId) => `${tenant(name)}:job:${jobId}`,
    batch: (name, batchId) => `${tenant(name)}:batch:${batchId}`,
    open: (name) => `${tenant(name)}:open`,
    bytes: (name) => `${tenant(name)}:bytes`,
    finished: (name) => `${tenant(name)}:finished`,
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
    workers: `${prefix}:workers`,
    schema: `${prefix}:schema`,
    importing: `${prefix}:importing`,
    swept: `${prefix}:swept`,
    alive: `${prefix}:alive`,
    queue: `{${prefix}}`,
  };
}

/** Encodes an owner as part of a key. Empty: all owners of the tenant. */
export function ownerKey({ owner = "" }: Pick<OwnerFilter, "owner">): string {
  return encodeURIComponent(owner);
}
