/** The workers, by Redis' clock: `scripts/keep-worker.lua` says how they are stored. */
import type { ListedWorker, WorkerOrder, WorkerStore } from "#server/engine/worker-store.ts";
import { WorkerSchema } from "#shared/worker.schema.ts";
import type { Client } from "./client.ts";
import type { RedisHints } from "./hints.ts";
import type { Keys } from "./keys.ts";
import { inPairs } from "./records.ts";
import type { RunScript } from "./scripts.ts";

export interface WorkersOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  hints: Pick<RedisHints, "onOrder">;
}

export function createWorkers({ redis, run, keys, hints }: WorkersOptions): WorkerStore {
  async function read(id: string, order: WorkerOrder | ""): Promise<ListedWorker | undefined> {
    const found = await run<string[]>("get-worker", keys.ring, id, order);
    const [report, ordered = ""] = found;
    return report === undefined ? undefined : listedOf([report, ordered])[0];
  }

  return {
    async announce(worker, ttlMs) {
      const report = JSON.stringify(worker);
      return orderOf(await run("keep-worker", keys.ring, worker.id, ttlMs, report));
    },
    async count() {
      const [seconds = 0, microseconds = 0] = await redis.time();
      const now = seconds * 1000 + Math.floor(microseconds / 1000);
      return redis.zcount(`${keys.ring}:workers`, `(${now}`, "+inf");
    },
    async list({ cursor = "", limit }) {
      const [last = "", ...found] = await run<string[]>("list-workers", keys.ring, cursor, limit);
      return { items: inPairs(found).flatMap(listedOf), nextCursor: last === "" ? null : last };
    },
    get: (id) => read(id, ""),
    order: async (id, order) => (await read(id, order)) !== undefined,
    // An interrupted subscription that is restored is a hint for all.
    onOrder: (id, listener) => hints.onOrder((of) => void ((of === "" || of === id) && listener())),
  };
}

/** Nothing for a report of a version that this one does not understand. */
function listedOf([text, order]: [report: string, order: string]): ListedWorker[] {
  const { data } = WorkerSchema.safeParse(JSON.parse(text));
  return data === undefined ? [] : [{ ...data, order: orderOf(order) }];
}

function orderOf(text: string): WorkerOrder | undefined {
  return text === "drain" || text === "run" ? text : undefined;
}
