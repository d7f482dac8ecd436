/**
 * Progress that is in the log of this transaction and not yet in the rows of its jobs and their owners. A busy job
 * reports often, and a transaction holds many reports: its row is read and written once for all of them.
 *
 * It lives within one transaction. Whatever else reads or writes a job flushes it first, and so does the commit, so
 * that nobody can tell.
 */
import type { DatabaseSync } from "node:sqlite";
import type { JobRow } from "./rows.ts";

export interface WriteBehind {
  /** The job's row as it will be. `undefined`: it is as it is stored. */
  row(jobId: string): JobRow | undefined;
  /** The owner's `rev` as it will be; `stored`: as it was read. */
  rev(ownerN: number, stored: number): number;
  /** Takes a row whose `progress`, `message`, `version` and `rev` have changed. */
  put(row: JobRow): void;
  /** Writes what is behind. */
  flush(): void;
  /** The transaction is rolled back, and this with it. */
  discard(): void;
}

export function createWriteBehind(db: DatabaseSync): WriteBehind {
  // Names no column that an index holds but `rev`, so that it touches no other index.
  const updateJob = db.prepare(
    "UPDATE jobs SET progress = ?, message = ?, version = ?, rev = ? WHERE n = ?",
  );
  const updateOwner = db.prepare("UPDATE owners SET rev = ? WHERE n = ?");
  const rows = new Map<string, JobRow>();
  const revs = new Map<number, number>();

  function discard(): void {
    rows.clear();
    revs.clear();
  }

  return {
    row: (jobId) => rows.get(jobId),
    rev: (ownerN, stored) => revs.get(ownerN) ?? stored,
    put(row) {
      rows.set(row.id, row);
      revs.set(row.owner_n, row.rev);
    },
    flush() {
      if (rows.size === 0) return;
      for (const { progress, message, version, rev, n } of rows.values()) {
        updateJob.run(progress, message, version, rev, n);
      }
      for (const [n, rev] of revs) updateOwner.run(rev, n);
      discard();
    },
    discard,
  };
}
