/** Deletes jobs that settled long ago. Logs, drafts, log lines and payloads go with their job (`ON DELETE CASCADE`). */
import type { DatabaseSync } from "node:sqlite";
import type { Engine } from "#server/engine/contract.ts";
import type { Owners } from "./owners.ts";
import type { Usage } from "./usage.ts";

interface Old {
  n: number;
  owner_n: number;
  batch_n: number | null;
}

/** `Engine.prune`. */
export function createPrune(
  db: DatabaseSync,
  owners: Pick<Owners, "forget">,
  usage: Pick<Usage, "add">,
): (...args: Parameters<Engine["prune"]>) => number {
  // One seek for each kind, however many jobs it has.
  const nextKind = db.prepare(
    "SELECT kind FROM jobs WHERE finished_at IS NOT NULL AND kind > ? ORDER BY kind LIMIT 1",
  );
  const oldOfKind = db.prepare(
    "SELECT n, owner_n, batch_n FROM jobs WHERE kind = ? AND finished_at < ? ORDER BY finished_at LIMIT ?",
  );
  const sizes = db.prepare(
    `SELECT tenant, octet_length(input) + octet_length(output) AS bytes
     FROM payloads JOIN jobs ON jobs.n = job_n JOIN owners ON owners.n = owner_n WHERE job_n = ?`,
  );
  const dropJob = db.prepare("DELETE FROM jobs WHERE n = ?");
  const dropEmptyBatch = db.prepare(
    "DELETE FROM batches WHERE n = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch_n = batches.n)",
  );
  function oldest([before, limit, kinds]: Parameters<Engine["prune"]>): Old[] {
    const rows: Old[] = [];
    for (let kind = ""; rows.length < limit;) {
      const next = nextKind.get(kind) as { kind: string } | undefined;
      if (next === undefined) break;
      kind = next.kind;
      const time = kinds?.has(kind) === true ? kinds.get(kind) : before;
      if (time instanceof Date) {
        const found = oldOfKind.all(kind, time.getTime(), limit - rows.length);
        rows.push(...(found as unknown as Old[]));
      }
    }
    return rows;
  }
  return (...args) => {
    const rows = oldest(args);
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
