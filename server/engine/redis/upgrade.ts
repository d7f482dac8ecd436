/** Upgrades data that an earlier version of Jobwire wrote. All processes of that version have stopped (docs/scaling.md). */
import { type Client, mastersOf } from "./client.ts";
import type { Keys } from "./keys.ts";
import { createScripts } from "./scripts.ts";

/**
 * Gives tenants the lists and feeds that only owners had before. Several processes may do it at the same time, and each may
 * stop half-way.
 */
export async function addTenantLists(redis: Client, keys: Keys): Promise<void> {
  const run = createScripts(redis);
  const suffix = ":feed";
  for (const master of mastersOf(redis)) {
    const owners = `${keys.prefix}:{*}:owner:*${suffix}`;
    for await (const found of master.scanStream({ match: owners, count: 1000 })) {
      for (const key of found as string[]) {
        const at = key.indexOf("}:owner:") + 1;
        const owner = key.slice(at + ":owner:".length, -suffix.length);
        await run("add-tenant-lists", key.slice(0, at), owner);
      }
    }
  }
}

/** Bounds the time for which one script keeps Redis. */
const JOBS_PER_SCRIPT = 500;

/**
 * Gives tenants their queues, and deletes what BullMQ had stored. Several processes may do it at the same time, and each may stop
 * half-way.
 */
export async function addQueues(redis: Client, keys: Keys): Promise<void> {
  await divide(redis, keys, { suffix: ":open", script: "index-open" });
  for (const master of mastersOf(redis)) {
    for (const pattern of keys.oldQueue) {
      for await (const found of master.scanStream({ match: pattern, count: 1000 })) {
        await Promise.all((found as string[]).map((key) => redis.unlink(key)));
      }
    }
  }
}

/**
 * Divides the queues of tenants by kinds, and deletes the ring of version 4: the sweep fills a new one. Several processes may do it
 * at the same time, and each may stop half-way.
 */
export async function splitQueues(redis: Client, keys: Keys): Promise<void> {
  await divide(redis, keys, { suffix: ":queue", script: "split-queue" });
  await redis.unlink(`${keys.ring}:turns`, `${keys.ring}:told`);
}

/**
 * Gives each kind of a tenant a set of its settled jobs, in place of one for all kinds. Several processes may do it at the same
 * time, and each may stop half-way.
 */
export async function splitFinished(redis: Client, keys: Keys): Promise<void> {
  await divide(redis, keys, { suffix: ":finished", script: "split-finished" });
}

/** Runs a script for each tenant that has a set with this suffix, until the set is empty. */
async function divide(
  redis: Client,
  keys: Keys,
  { suffix, script }: { suffix: string; script: "index-open" | "split-finished" | "split-queue" },
): Promise<void> {
  const run = createScripts(redis);
  for (const master of mastersOf(redis)) {
    const match = `${keys.prefix}:{*}${suffix}`;
    for await (const found of master.scanStream({ match, count: 1000 })) {
      for (const key of found as string[]) {
        const tenant = key.slice(0, -suffix.length);
        // A kind can have the name of a set.
        if (!tenant.endsWith("}")) continue;
        while ((await run<number>(script, tenant, JOBS_PER_SCRIPT)) > 0);
      }
    }
  }
}
