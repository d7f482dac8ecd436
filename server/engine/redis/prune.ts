/** Deletes jobs that settled long ago, tenant by tenant, the oldest first. */
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

interface PruneOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  newest: Pick<Newest, "forget">;
}

/** The returned function deletes at most `limit` jobs, and returns how many. */
export function createPrune({
  redis,
  run,
  keys,
  tenants,
  newest,
}: PruneOptions): (before: Date, limit: number) => Promise<number> {
  async function oldestOf(tenant: string, before: number, limit: number): Promise<Old[]> {
    const found = await membersBelow(redis, keys.finished(tenant), { below: before, limit });
    return found.map(({ name }) => ({ tenant, jobId: name }));
  }

  async function drop({ tenant, jobId }: Old, before: number): Promise<number> {
    const record = await redis.hget(keys.job(tenant, jobId), "s");
    if (record === null) return 0;
    const job = decodeSummary(record);
    const { batchId } = job;
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

  return async (before, limit) => {
    const time = before.getTime();
    const old = await tenants.ofAll((tenant) => oldestOf(tenant, time, limit), limit);
    const dropped = await Promise.allSettled(old.slice(0, limit).map((each) => drop(each, time)));
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
