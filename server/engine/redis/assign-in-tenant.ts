/** Gives jobs and batches to another owner of their tenant: one script for each, whatever the job is doing. */
import { type Assigned, NONE_UNSETTLED } from "#server/engine/assignment.ts";
import type { Owner } from "#shared/principal.ts";
import type { Client } from "./client.ts";
import { inGroups } from "./in-groups.ts";
import { type Keys, ownerKey } from "./keys.ts";
import type { Newest } from "./newest.ts";
import { decodeBatch, decodeSummary, encodeBatch, encodeSummary } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { StagedBatches } from "./staged-batches.ts";

interface AssignOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  newest: Pick<Newest, "forget">;
  staged: Pick<StagedBatches, "landAll">;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

/** The returned function moves at most `limit` jobs and as many batches. */
export function createAssignInTenant({
  redis,
  run,
  keys,
  newest,
  staged,
  op,
}: AssignOptions): (from: Owner, to: Owner, limit: number) => Promise<Assigned> {
  async function moveJob(jobId: string, from: Owner, to: Owner): Promise<boolean> {
    // The job may change, or be deleted, at the same moment.
    for (;;) {
      const before = await redis.hget(keys.job(from.tenant, jobId), "s");
      if (before === null) return false;
      const job = decodeSummary(before);
      // A call that was sent twice finds what its first one did.
      if (job.owner !== from.owner) return job.owner === to.owner;
      const isMoved = await run<number>(
        "assign-job",
        keys.tenant(from.tenant),
        jobId,
        before,
        encodeSummary({ ...job, owner: to.owner }),
        op(),
        ownerKey(from),
        ownerKey(to),
        job.kind,
        job.status,
      );
      newest.forget(jobId);
      if (isMoved !== 0) return isMoved === 1;
    }
  }

  async function moveBatch(batchId: string, from: Owner, to: Owner): Promise<boolean> {
    const batch = decodeBatch(await redis.hgetall(keys.batch(from.tenant, batchId)));
    if (batch === undefined) return false;
    const moved = await run<number>(
      "assign-batch",
      keys.tenant(from.tenant),
      batchId,
      encodeBatch({ ...batch, owner: to.owner }, batch.createdAt),
      ownerKey(from),
      ownerKey(to),
    );
    return moved === 1;
  }

  return async (from, to, limit) => {
    const owner = keys.owner(from);
    // The jobs are found in the feed.
    await staged.landAll(from.tenant);
    const [jobIds, batchIds] = await Promise.all(
      ["feed", "batches"].map((list) => redis.zrange(`${owner}:${list}`, "0", `${limit - 1}`)),
    );
    const moved = [
      ...(await inGroups(batchIds ?? [], (id) => moveBatch(id, from, to))),
      ...(await inGroups(jobIds ?? [], (id) => moveJob(id, from, to))),
    ];
    return { moved: moved.filter(Boolean).length, unsettled: NONE_UNSETTLED };
  };
}
