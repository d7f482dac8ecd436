/**
 * The names of keys and channels. All that belongs to one tenant has its name as the hash tag, so that it lies in one
 * slot and one script can change it; so has the queue, which is one for all. Scripts append to a tenant's prefix.
 */
import type { Owner } from "#shared/principal.ts";

export interface Keys {
  readonly prefix: string;
  /** Prefix of the keys of a tenant: `jobwire:{acme}`. */
  tenant(tenant: string): string;
  /** Prefix of the keys of an owner. */
  owner(owner: Owner): string;
  job(tenant: string, jobId: string): string;
  batch(tenant: string, batchId: string): string;
  /** Jobs that are not settled, by when the next claim may take them. */
  open(tenant: string): string;
  /** Jobs that are settled, by when they were. */
  finished(tenant: string): string;
  /** Prefix of the tenant directory, which maps ids to tenants. No tenant can have this name. */
  readonly directory: string;
  /** The hash of the directory that holds an id: small enough that Redis keeps it compact up to some 500,000 jobs. */
  tenantOf(id: string): string;
  readonly tenants: string;
  readonly workers: string;
  /** The version of the data format. */
  readonly schema: string;
  /** Exists while data of another engine are being imported. */
  readonly importing: string;
  /** Expires; while it exists, one of the processes has just swept. */
  readonly swept: string;
  /** The health check writes it. */
  readonly alive: string;
  /** BullMQ's prefix. */
  readonly queue: string;
}

/** The key that exists as long as any with the prefix does: a tenant's counter, the directory's mark. */
export function alwaysThere(prefix: string): string {
  return `${prefix}:n`;
}

export function createKeys(prefix: string): Keys {
  const tenant = (name: string) => `${prefix}:{${encodeURIComponent(name)}}`;
  return {
    prefix,
    tenant,
    owner: (owner) => `${tenant(owner.tenant)}:owner:${ownerKey(owner)}`,
    job: (name, jobId) => `${tenant(name)}:job:${jobId}`,
    batch: (name, batchId) => `${tenant(name)}:batch:${batchId}`,
    open: (name) => `${tenant(name)}:open`,
    finished: (name) => `${tenant(name)}:finished`,
    directory: `${prefix}:{:directory}`,
    tenantOf: (id) => `${prefix}:{:directory}:${id.slice(-3)}`,
    tenants: `${prefix}:tenants`,
    workers: `${prefix}:workers`,
    schema: `${prefix}:schema`,
    importing: `${prefix}:importing`,
    swept: `${prefix}:swept`,
    alive: `${prefix}:alive`,
    queue: `{${prefix}}`,
  };
}

/** An owner as part of a key. */
export function ownerKey({ owner }: Pick<Owner, "owner">): string {
  return encodeURIComponent(owner);
}
