/** The columns of batches that are stored in steps (`large-batch.ts`), and how a start ends what is left of them. */
import type { DatabaseSync } from "node:sqlite";
import type { Owners } from "./owners.ts";
import { READY } from "./queue.ts";
import type { Usage } from "./usage.ts";

export const HIDDEN = 1;
export const SHOWN = 2;

/** Migration. */
export const STAGED_BATCHES = `
  -- ${HIDDEN}: it is being stored. ${SHOWN}: its jobs get their places in the queue. NULL: neither.
  ALTER TABLE batches ADD COLUMN staged INTEGER;
  -- Of a hidden one, the bytes of its inputs and outputs: they count already.
  ALTER TABLE batches ADD COLUMN staged_bytes INTEGER;
  CREATE INDEX batches_staged ON batches (staged) WHERE staged IS NOT NULL;
`;

/** Its columns in the table of batches. */
interface StagedRow {
  n: number;
  owner_n: number;
  tenant: string;
  staged: number;
  staged_bytes: number;
}

/**
 * Ends what an earlier process left: deletes batches that it did not show, and queues the jobs of those that it did. `now`: by the
 * queue's clock.
 */
export function finishStaged(
  db: DatabaseSync,
  { owners, usage }: { owners: Pick<Owners, "forget">; usage: Pick<Usage, "add"> },
  now: number,
): void {
  const left = db
    .prepare(
      `SELECT batches.n, owner_n, tenant, staged, staged_bytes
       FROM batches JOIN owners ON owners.n = owner_n WHERE staged IS NOT NULL`,
    )
    .all() as unknown as StagedRow[];
  if (left.length === 0) return;
  const queue = db.prepare(
    `UPDATE jobs SET due = CASE WHEN starts_at > ? THEN starts_at ELSE ${READY} END, expires = expires_at
     WHERE batch_n = ? AND due IS NULL AND status = 'PENDING'`,
  );
  const finish = db.prepare("UPDATE batches SET staged = NULL WHERE n = ?");
  const dropJobs = db.prepare("DELETE FROM jobs WHERE batch_n = ?");
  const discard = prepareDiscard(db, { owners, usage });
  db.exec("BEGIN");
  for (const row of left) {
    if (row.staged === HIDDEN) {
      dropJobs.run(row.n);
      discard(row);
    } else {
      queue.run(now, row.n);
      finish.run(row.n);
    }
  }
  db.exec("COMMIT");
}

/** Deletes a hidden batch, whose jobs are deleted already. */
export function prepareDiscard(
  db: DatabaseSync,
  { owners, usage }: { owners: Pick<Owners, "forget">; usage: Pick<Usage, "add"> },
): (row: Pick<StagedRow, "n" | "owner_n" | "tenant" | "staged_bytes">) => void {
  const drop = db.prepare("DELETE FROM batches WHERE n = ? RETURNING pending");
  return ({ n, owner_n: ownerN, tenant, staged_bytes: bytes }) => {
    const { pending } = drop.get(n) as { pending: number };
    usage.add(tenant, { waitingJobs: -pending, bytes: -bytes });
    owners.forget(ownerN);
  };
}
