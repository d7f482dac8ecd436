/**
 * The names of keys and channels. All that belongs to one tenant has its name as the hash tag, so that it lies in one
 * slot and one script can change it; so has the queue, which is one for all. Scripts append to a tenant's prefix.
 */
import type { Owner } from "#shared/principal.ts";

export interface Keys {
  readonly prefix: string;
  /** What the keys of a tenant begin with: `jobwire:{acme}`. */
  tenant(tenant: string): string;
  /** What those of one of its owners begin with. */
  owner(owner: Owner): string;
  job(tenant: string, jobId: string): string;
  batch(tenant: string, batchId: string): string;
  /** Jobs that are not settled, by when the next claim may take them. */
  open(tenant: string): string;
  /** Jobs that are settled, by when they were. */
  finished(tenant: string): string;
  /** What the keys of the directory begin with: whose each job and batch is. No tenant is called like that. */
  readonly directory: string;
  /** The part of it in which an id is: small enough that Redis keeps it compact while there are some 500,000 jobs. */
  tenantOf(id: string): string;
  readonly tenants: string;
  readonly workers: string;
  /** The version of all this. */
  readonly schema: string;
  /** There while data of another engine are being taken over. */
  readonly importing: string;
  /** There while one of the processes has just looked for jobs that are not in the queue. */
  readonly swept: string;
  /** Written to see whether writing works. */
  readonly alive: string;
  /** What BullMQ puts before the name of a queue. */
  readonly queue: string;
}

/** What of the keys with a prefix is there from the first to the last: a tenant's counter, the directory's mark. */
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
