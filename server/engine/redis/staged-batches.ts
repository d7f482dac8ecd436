/**
 * The steps that a large batch (`large-batch.ts`) still needs: those of one that is shown, whose jobs get their places in the
 * feed and the queue, and those of one that is not, which is deleted. Where the process that stored it dies, another one takes
 * them, which may do so at the same time: each step may run twice.
 */
import type { Keys } from "./keys.ts";
import type { Ring } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface StagedBatches {
  /** Resolves once each job of the batch has its place, unless the batch is not shown. */
  land(tenant: string, batchId: string): Promise<void>;
  /** Resolves once each job of each batch of the tenant that is shown has its place. */
  landAll(tenant: string): Promise<void>;
  /** Deletes a batch that is not shown. `op`: of its creation. Returns false where it is shown. */
  drop(tenant: string, batchId: string, op: string): Promise<boolean>;
  /** Lands or deletes a batch, unless a process still stores it. */
  finish(tenant: string, batchId: string): Promise<void>;
}

interface StagedBatchesOptions {
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "forget">;
  ring: Pick<Ring, "tell">;
  redis: { hkeys(key: string): Promise<string[]> };
}

/** The most jobs of a step, which bounds the time for which one script keeps Redis. */
export const STEP = 250;
/** Sorts before all positions. */
const NONE = "-inf";

type Landed = [more: 0 | 1, moment: number, alarm: string, free: string[]];
type Dropped = ["shown"] | ["gone"] | ["next", upto: string, ids: string[]];

export function createStagedBatches({
  run,
  keys,
  tenants,
  ring,
  redis,
}: StagedBatchesOptions): StagedBatches {
  async function land(tenant: string, batchId: string): Promise<void> {
    for (let isMore = true; isMore;) {
      const landed = await run<Landed>("land-jobs", keys.tenant(tenant), batchId, STEP);
      const [more, moment, alarm, free] = landed;
      if (moment > 0) await ring.tell([{ tenant, is: "ready", moment, free }]);
      if (alarm !== "") await ring.tell([{ tenant, alarm }]);
      isMore = more === 1;
    }
  }

  async function drop(tenant: string, batchId: string, op: string): Promise<boolean> {
    for (let upto = NONE; ;) {
      const dropped = await run<Dropped>(
        "drop-staged",
        keys.tenant(tenant),
        batchId,
        op,
        upto,
        STEP,
      );
      if (dropped[0] !== "next") return dropped[0] === "gone";
      await tenants.forget(tenant, dropped[2]);
      upto = dropped[1];
    }
  }

  return {
    land,
    drop,
    async landAll(tenant) {
      const batches = await redis.hkeys(`${keys.tenant(tenant)}:staged`);
      for (const batchId of batches) await land(tenant, batchId);
    },
    async finish(tenant, batchId) {
      const isGone = await drop(tenant, batchId, "");
      if (isGone) await tenants.forget(tenant, [batchId]);
      else await land(tenant, batchId);
    },
  };
}
