/** Deletes jobs that settled long ago. Logs, drafts, log lines and payloads go with their job (`ON DELETE CASCADE`). */
import type { DatabaseSync } from "node:sqlite";
import type { Owners } from "./owners.ts";
import type { Usage } from "./usage.ts";

/** Deletes at most `limit` jobs; returns how many. */
export function createPrune(
  db: DatabaseSync,
  owners: Pick<Owners, "forget">,
  usage: Pick<Usage, "add">,
): (before: Date, limit: number) => number {
  const old = db.prepare(
    "SELECT n, owner_n, batch_n FROM jobs WHERE finished_at < ? ORDER BY finished_at LIMIT ?",
  );
  const sizes = db.prepare(
    `SELECT tenant, octet_length(input) + octet_length(output) AS bytes
     FROM payloads JOIN jobs ON jobs.n = job_n JOIN owners ON owners.n = owner_n WHERE job_n = ?`,
  );
  const dropJob = db.prepare("DELETE FROM jobs WHERE n = ?");
  const dropEmptyBatch = db.prepare(
    "DELETE FROM batches WHERE n = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch_n = batches.n)",
  );
  return (before, limit) => {
    const rows = old.all(before.getTime(), limit) as unknown as {
      n: number;
      owner_n: number;
      batch_n: number | null;
    }[];
    const freed = new Map<string, number>();
    for (const { n } of rows) {
      const { tenant, bytes } = sizes.get(n) as { tenant: string; bytes: number };
      freed.set(tenant, bytes + (freed.get(tenant) ?? 0));
      dropJob.run(n);
    }
    for (const [tenant, bytes] of freed) usage.add(tenant, { waitingJobs: 0, bytes: -bytes });
    for (const n of new Set(rows.map((row) => row.batch_n))) if (n !== null) dropEmptyBatch.run(n);
    for (const n of new Set(rows.map((row) => row.owner_n))) owners.forget(n);
    return rows.length;
  };
}
