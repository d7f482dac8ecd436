/** Heartbeats of workers: a sorted set by expiry time. */
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";

export interface WorkerHeartbeats {
  announce(worker: string, ttlMs: number, now: Date): Promise<void>;
  present(now: Date): Promise<string[]>;
}

export function createWorkerHeartbeats(redis: Client, keys: Keys): WorkerHeartbeats {
  return {
    async announce(worker, ttlMs, now) {
      await Promise.all([
        redis.zadd(keys.workers, now.getTime() + ttlMs, worker),
        redis.zremrangebyscore(keys.workers, "-inf", now.getTime()),
      ]);
    },
    async present(now) {
      const workers = await redis.zrange(keys.workers, `(${now.getTime()}`, "+inf", "BYSCORE");
      return workers.toSorted();
    },
  };
}
