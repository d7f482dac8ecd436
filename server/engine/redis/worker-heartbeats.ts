/** Heartbeats of workers: a sorted set by expiry time, by Redis' clock. */
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export interface WorkerHeartbeats {
  announce(worker: string, ttlMs: number): Promise<void>;
  present(): Promise<string[]>;
}

export function createWorkerHeartbeats(run: RunScript, keys: Keys): WorkerHeartbeats {
  return {
    async announce(worker, ttlMs) {
      await run("keep-worker", keys.ring, worker, ttlMs);
    },
    async present() {
      const workers = await run<string[]>("keep-worker", keys.ring, "", 0);
      return workers.toSorted();
    },
  };
}
