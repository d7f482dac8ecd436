/**
 * Finds jobs that nobody will be given: those that should have been taken for a while and are not in the queue. Such
 * are left behind by a process that died between storing a job and queueing it, and by a queue that lost its data.
 */
import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";
import type { Queue, QueuedPlace } from "./queue.ts";
import type { Tenants } from "./tenants.ts";

const PAGE = 500;

/** Queues again what is missing; returns how many. `late`: before when they should have been taken. */
export type Sweep = (late: number) => Promise<number>;

export function createSweep(redis: Redis, keys: Keys, tenants: Tenants, queue: Queue): Sweep {
  async function page(tenant: string, late: number, skip: number): Promise<QueuedPlace[]> {
    const flat = await redis.zrange(
      keys.open(tenant),
      "-inf",
      `(${late}`,
      "BYSCORE",
      "LIMIT",
      skip,
      PAGE,
      "WITHSCORES",
    );
    const places: QueuedPlace[] = [];
    for (let index = 0; index < flat.length; index += 2) {
      const [jobId, due] = [flat[index] as string, Number(flat[index + 1])];
      places.push({ tenant, jobId, due, queuedAs: "" });
    }
    const queuedAs = await Promise.all(
      places.map(({ jobId }) => redis.hget(keys.job(tenant, jobId), "q")),
    );
    return places.flatMap((place, index) => {
      const version = queuedAs[index];
      return version == null ? [] : [{ ...place, queuedAs: version }];
    });
  }

  /**
   * The latest come first, and those are what is missing: the others are taken in about that order. So a page without
   * any is the end of it, however many wait.
   */
  async function sweepTenant(tenant: string, late: number): Promise<number> {
    let found = 0;
    for (let skip = 0; ; skip += PAGE) {
      const places = await page(tenant, late, skip);
      const missing = await queue.missing(places);
      if (missing.length === 0) return found;
      await queue.add(missing);
      found += missing.length;
    }
  }

  return async (late) => {
    let found = 0;
    for (const tenant of await tenants.all()) found += await sweepTenant(tenant, late);
    return found;
  };
}
