/** Why a job waits. */
import type { DatabaseSync } from "node:sqlite";
import { type KindLimits, MAX_COUNTED_AHEAD, type Waiting } from "#server/engine/kind-limits.ts";
import type { Jobs } from "./jobs.ts";
import { READY } from "./queue.ts";
import type { Turns } from "./turns.ts";

interface WaitingOptions {
  db: DatabaseSync;
  jobs: Pick<Jobs, "findRow">;
  turns: Pick<Turns, "running" | "rateInMs">;
  clock: () => number;
}

/** `Engine.waiting`. Not within a transaction: it reads what is stored. */
export function createWaiting({
  db,
  jobs,
  turns,
  clock,
}: WaitingOptions): (jobId: string, limits?: KindLimits) => Waiting | undefined {
  const inLine = "SELECT 1 FROM jobs WHERE due = 0 AND tenant_n = ?1 AND kind = ?2 AND key IS ?3";
  // Not as one comparison of (rank, n): the index would be used for rank alone.
  const ahead = db.prepare(
    `SELECT count(*) AS jobs FROM (
       ${inLine} AND rank < ?4 UNION ALL ${inLine} AND rank = ?4 AND n < ?5 LIMIT ${MAX_COUNTED_AHEAD})`,
  );
  return (jobId, limits) => {
    const row = jobs.findRow(jobId);
    if (row === undefined || row.status !== "PENDING" || row.held === 1 || row.due === null) {
      return undefined;
    }
    const now = clock();
    const isReady = row.due === READY;
    const before = isReady
      ? ahead.get(row.tenant_n, row.kind, row.key, row.rank, row.n)
      : undefined;
    const running = turns.running(row);
    const rateInMs = turns.rateInMs(row, { kind: limits, key: limits?.perKey }, now);
    return {
      key: row.key,
      startsInMs: isReady ? null : Math.max(0, row.due - now),
      ahead: (before as { jobs: number } | undefined)?.jobs ?? 0,
      running: { kind: running.kind, key: row.key === null ? null : running.key },
      rateInMs: {
        kind: Math.ceil(rateInMs.kind),
        key: row.key === null ? null : Math.ceil(rateInMs.key),
      },
    };
  };
}
