/**
 * Re-queues overdue jobs that are missing from the queue. They remain after a process died between storing and queueing a
 * job, or after the queue lost its data.
 */
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import { membersBelow } from "./members.ts";
import type { Queue, QueuedPlace } from "./queue.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

const PAGE = 500;

/** Queues missing jobs that were due before `late`. */
export type Sweep = (late: number) => Promise<void>;

interface SweepOptions {
  redis: Client;
  keys: Keys;
  tenants: TenantDirectory;
  queue: Queue;
}

export function createSweep({ redis, keys, tenants, queue }: SweepOptions): Sweep {
  async function page(tenant: string, late: number, skip: number): Promise<QueuedPlace[]> {
    const open = await membersBelow(redis, keys.open(tenant), { below: late, limit: PAGE, skip });
    const queuedAs = await Promise.all(
      open.map(({ name }) => redis.hget(keys.job(tenant, name), "q")),
    );
    return open.flatMap(({ name, score }, index) => {
      const version = queuedAs[index];
      return version == null ? [] : [{ tenant, jobId: name, due: score, queuedAs: version }];
    });
  }

  /**
   * Checks the longest overdue jobs first. Claims take jobs in about that order, so missing jobs move up to the first page,
   * and the first page without a missing job ends the sweep, however many jobs wait.
   */
  async function sweepTenant(tenant: string, late: number): Promise<void> {
    for (let skip = 0; ; skip += PAGE) {
      const missing = await queue.missing(await page(tenant, late, skip));
      if (missing.length === 0) return;
      await queue.add(missing);
    }
  }

  return async (late) => {
    await tenants.ofAll(async (tenant) => {
      await sweepTenant(tenant, late);
      return [];
    });
  };
}
