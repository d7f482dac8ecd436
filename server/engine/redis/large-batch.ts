/**
 * Stores a batch in steps, so that neither this process nor Redis is kept for long, and other calls come between:
 *
 *   1. `stage-jobs` stores its jobs, some at a time, where no read finds them. They count in the tenant's usage.
 *   2. The tenant directory gets their ids.
 *   3. `show-batch` shows the batch: readers find it, and all of its jobs in their lists.
 *   4. `land-jobs` gives the jobs, some at a time, their places in the feed and the queue. The call is answered after that.
 *
 * The process of a call that fails before step 3 deletes what is there. Where a process dies, another one deletes what it
 * left, or goes on with step 4 (`staged-batches.ts`). A process stores one large batch of a tenant at a time, so that what a
 * tenant can leave is bounded.
 */
import { QuotaExceeded, type TenantQuota } from "#server/engine/quota.ts";
import type { NewBatch } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import type { EncodeAudit } from "./audit.ts";
import { createKeyedMutex } from "./keyed-mutex.ts";
import { type Keys, ownerKey } from "./keys.ts";
import type { Rows } from "./new-rows.ts";
import { encodeBatch } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { StagedBatches } from "./staged-batches.ts";
import { takenId, type TenantDirectory } from "./tenant-directory.ts";

/** Returns the id of the stored batch, or of the earlier one if the idempotency key was used before. */
export type StoreLargeBatch = (
  batch: NewBatch,
  all: readonly Rows[],
  made: Made,
) => Promise<string>;

interface Made {
  at: Date;
  quota: TenantQuota | undefined;
}

/** The ids that the directory may have got. */
type Noted = (readonly string[])[];

type Staged =
  | ["ok"]
  | ["first", string]
  | ["taken", string]
  | ["full", keyof TenantQuota]
  | ["gone"];
type Shown = ["ok"] | ["first", string] | ["gone"];

interface LargeBatchOptions {
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "note" | "forget">;
  staged: StagedBatches;
  encodeAudit: EncodeAudit;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createLargeBatches({
  run,
  keys,
  tenants,
  staged,
  encodeAudit,
  op,
}: LargeBatchOptions): StoreLargeBatch {
  const inTurn = createKeyedMutex();

  /** Steps 1 to 3. Returns the id of the batch that is there, which may be an earlier one. */
  async function store(
    name: string,
    batch: NewBatch,
    all: readonly Rows[],
    { at, quota, noted }: Made & { noted: Noted },
  ): Promise<string> {
    const { id, tenant, idempotencyKey: key = "", audit } = batch;
    const [prefix, owner] = [keys.tenant(tenant), ownerKey(batch)];
    const count = all.reduce((sum, { created }) => sum + created.length, 0);
    const bytes = all.reduce((sum, rows) => sum + rows.bytes, 0);
    const limits = [quota?.waitingJobs ?? 0, quota?.bytes ?? 0] as const;
    const kinds = new Set<string>();
    let stored = 0;
    for (const { created, args } of all) {
      const answer = await run<Staged>(
        "stage-jobs",
        prefix,
        name,
        owner,
        id,
        key,
        stored,
        count,
        bytes,
        ...limits,
        args,
      );
      if (answer[0] === "first") return answer[1];
      if (answer[0] === "full") throw new QuotaExceeded(answer[1]);
      if (answer[0] === "taken") throw takenId(answer[1]);
      if (answer[0] === "gone") throw lost(id);
      for (const { job } of created) kinds.add(job.kind);
      stored += created.length;
    }
    for (const ids of [...all.map(idsOf), [id]]) {
      noted.push(ids);
      const strange = await tenants.note(tenant, ids);
      if (strange !== undefined) throw takenId(strange);
    }
    const shown = await run<Shown>(
      "show-batch",
      prefix,
      name,
      owner,
      id,
      key,
      encodeBatch(batch, at),
      at.getTime(),
      audit === undefined ? "" : encodeAudit(audit),
      [...kinds],
    );
    if (shown[0] === "gone") throw lost(id);
    return shown[0] === "first" ? shown[1] : id;
  }

  /** Deletes what was stored of the batch. Returns false where it was shown after all. */
  async function undo(name: string, { id, tenant }: NewBatch, noted: Noted): Promise<boolean> {
    if (!(await staged.drop(tenant, id, name))) return false;
    for (const ids of noted) await tenants.forget(tenant, ids);
    return true;
  }

  return (batch, all, made) =>
    inTurn(batch.tenant, async () => {
      const { id, tenant } = batch;
      const name = op();
      const noted: Noted = [];
      // Before anything is stored: what is left of it will be found.
      await run("note-expiring", keys.expiring, tenant, "note");
      try {
        const there = await store(name, batch, all, { ...made, noted });
        if (there !== id) {
          await undo(name, batch, noted).catch(() => undefined);
          return there;
        }
      } catch (error) {
        // Where this fails too, another process finishes it, and it is not known how.
        if (await undo(name, batch, noted).catch(() => true)) throw error;
      }
      // Another process goes on where this one cannot.
      await staged.land(tenant, id).catch(() => undefined);
      return id;
    });
}

function idsOf({ created }: Rows): string[] {
  return created.map(({ job }) => job.id);
}

function lost(id: string): AppError {
  return new AppError(
    "UNAVAILABLE",
    `What was stored of batch ${id} is not there any more: storing it took too long, or Redis lost its newest writes. Nothing of it is stored. Try again.`,
  );
}
