/** Deletes jobs that settled long ago, tenant by tenant and kind by kind, the oldest first. */
import type { Engine, PruneTime } from "#server/engine/contract.ts";
import type { Newest } from "./newest.ts";
import type { Client } from "./client.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { membersBelow } from "./members.ts";
import { decodeSummary } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

interface Old {
  tenant: string;
  jobId: string;
}

type TimeOf = (kind: string) => PruneTime | undefined;

interface PruneOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  newest: Pick<Newest, "forget">;
}

/** Returns `Engine.prune`. */
export function createPrune({ redis, run, keys, tenants, newest }: PruneOptions): Engine["prune"] {
  async function oldestOf(tenant: string, timeOf: TimeOf, limit: number): Promise<Old[]> {
    const kinds = await redis.smembers(keys.kinds(tenant));
    const found = await Promise.all(
      kinds.map(async (kind) => {
        const below = timeOf(kind)?.getTime();
        if (below === undefined) return [];
        return membersBelow(redis, keys.finished(tenant, kind), { below, limit });
      }),
    );
    return found.flat().map(({ name }) => ({ tenant, jobId: name }));
  }

  async function drop({ tenant, jobId }: Old, timeOf: TimeOf): Promise<number> {
    const record = await redis.hget(keys.job(tenant, jobId), "s");
    if (record === null) return 0;
    const job = decodeSummary(record);
    const { batchId } = job;
    const before = timeOf(job.kind)?.getTime();
    if (before === undefined) return 0;
    const [dropped, emptied] = await run<[number, number]>(
      "prune",
      keys.tenant(tenant),
      jobId,
      before,
      ownerKey(job),
      batchId ?? "",
    );
    if (dropped === 0) return 0;
    newest.forget(jobId);
    await tenants.forget(tenant, emptied === 1 && batchId !== null ? [jobId, batchId] : [jobId]);
    return 1;
  }

  return async (before, limit, kinds) => {
    const timeOf: TimeOf = (kind) => (kinds?.has(kind) === true ? kinds.get(kind) : before);
    const old = await tenants.ofAll((tenant) => oldestOf(tenant, timeOf, limit), limit);
    const dropped = await Promise.allSettled(old.slice(0, limit).map((each) => drop(each, timeOf)));
    const count = dropped.reduce(
      (sum, each) => sum + (each.status === "fulfilled" ? each.value : 0),
      0,
    );
    // A job that cannot be deleted must not block the others.
    const failed = dropped.find(({ status }) => status === "rejected");
    if (count === 0 && failed?.status === "rejected") throw failed.reason;
    return count;
  };
}
