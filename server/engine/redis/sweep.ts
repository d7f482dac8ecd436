/**
 * Re-queues jobs that are overdue and not in the queue. A process that died between storing a job and queueing it
 * leaves such jobs behind, and so does a queue that lost its data.
 */
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import { membersBelow } from "./members.ts";
import type { Queue, QueuedPlace } from "./queue.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

const PAGE = 500;

/** Queues the missing jobs that should have been taken before `late`. */
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
   * The longest overdue come first. Claims take jobs in about that order, so missing jobs reach the first page in time,
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
