/**
 * Progress that is in the log of this transaction and not yet in the rows of its jobs and their owners. A busy job
 * reports often, and a transaction holds many reports: its row is read and written once for all of them.
 *
 * It lives within one transaction. Whatever else reads or writes a job flushes it first, and so does the commit, so
 * that nobody can tell.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Job } from "#shared/job.ts";
import type { Owners } from "./owners.ts";
import type { JobRow } from "./rows.ts";

/** A job that is ahead of its row. */
export interface Ahead {
  /** As it was read. */
  row: JobRow;
  /** With stand-ins for what was not read. */
  job: Job;
  /** The owner's at its newest change. */
  rev: number;
}

export interface WriteBehind {
  /** `undefined`: the job is as it is stored. */
  get(jobId: string): Ahead | undefined;
  /** The owner's `rev` as it will be; `stored`: as it was read. */
  rev(ownerN: number, stored: number): number;
  /** Takes a job whose `progress`, `message` and `version` have changed. */
  put(ahead: Ahead): void;
  /** Writes what is behind. */
  flush(): void;
  /** The transaction is rolled back, and this with it. */
  discard(): void;
}

export function createWriteBehind(db: DatabaseSync, owners: Pick<Owners, "set">): WriteBehind {
  // Names no column that an index holds but `rev`, so that it touches no other index.
  const updateJob = db.prepare(
    "UPDATE jobs SET progress = ?, message = ?, version = ?, rev = ? WHERE n = ?",
  );
  const jobs = new Map<string, Ahead>();
  const revs = new Map<number, number>();

  function discard(): void {
    jobs.clear();
    revs.clear();
  }

  return {
    get: (jobId) => jobs.get(jobId),
    rev: (ownerN, stored) => revs.get(ownerN) ?? stored,
    put(ahead) {
      jobs.set(ahead.job.id, ahead);
      revs.set(ahead.row.owner_n, ahead.rev);
    },
    flush() {
      if (jobs.size === 0) return;
      for (const { row, job, rev } of jobs.values()) {
        updateJob.run(job.progress, job.message, job.version, rev, row.n);
      }
      for (const [n, rev] of revs) owners.set(n, rev);
      discard();
    },
    discard,
  };
}
