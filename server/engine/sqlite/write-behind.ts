/**
 * What the changes of one transaction come to: the rows of jobs, owners and batches that are not written yet. Many
 * changes of one transaction concern the same rows, so each row is read and written once for all of them.
 *
 * It lives within one transaction. Whatever else reads or writes a job flushes it first, and so does the commit, so
 * that nobody can tell.
 */
import type { DatabaseSync } from "node:sqlite";
import { type BatchRecord, recount } from "#shared/batch.ts";
import type { Job, JobStatus } from "#shared/job.ts";
import type { Batches } from "./batches.ts";
import type { Owners } from "./owners.ts";
import { toJson } from "./payload.ts";
import { type JobRow, summaryOfRow } from "./rows.ts";

/** A job, and the row that it was read from. */
export interface Ahead {
  row: JobRow;
  /** `input` and `output` are not read: `UNREAD` stands for them until a change sets them. */
  job: Job;
  /** When the next claim may take the job, and `null` for never. `undefined` while the queue's columns stay as they are. */
  due: number | null | undefined;
  /** The owner's at its newest change. */
  rev: number;
}

const UNREAD = Symbol("unread");

export function asStored(row: JobRow): Ahead {
  const job = { ...summaryOfRow(row), input: UNREAD, output: UNREAD };
  return { row, job, due: undefined, rev: row.rev };
}

export interface WriteBehind {
  /** `undefined`: the job is as it is stored. */
  get(jobId: string): Ahead | undefined;
  put(ahead: Ahead): void;
  /** The owner's next `rev`. */
  nextRev(row: Pick<JobRow, "owner_n" | "owner_rev">): number;
  /** One job of the batch went from one status to another. */
  count(batchN: number, from: JobStatus, to: JobStatus, at: Date): void;
  /** Writes what is behind. */
  flush(): void;
  /** The transaction is rolled back, and this with it. */
  discard(): void;
}

export function createWriteBehind(
  db: DatabaseSync,
  owners: Pick<Owners, "set">,
  batches: Pick<Batches, "read" | "update">,
): WriteBehind {
  // Each names the columns that may have changed and no other: naming one costs a change of every index on it.
  const reported = db.prepare(
    "UPDATE jobs SET progress = ?, message = ?, version = ?, rev = ? WHERE n = ?",
  );
  const started = db.prepare(
    `UPDATE jobs SET status = ?, progress = ?, message = ?, attempt = ?, started_at = ?, version = ?, rev = ?
     WHERE n = ?`,
  );
  const leftRunner = db.prepare(
    `UPDATE jobs SET status = ?, progress = ?, message = ?, attempt = ?, retries = ?, error_code = ?,
       error_message = ?, started_at = ?, finished_at = ?, version = ?, rev = ?, due = ?, held = 0 WHERE n = ?`,
  );
  const updateOutput = db.prepare("UPDATE payloads SET output = ? WHERE job_n = ?");
  const jobs = new Map<string, Ahead>();
  const revs = new Map<number, number>();
  const counted = new Map<number, BatchRecord>();

  function write({ row, job, due, rev }: Ahead): void {
    const { status, progress, message, attempt, version } = job;
    const startedAt = job.startedAt?.getTime() ?? null;
    if (due !== undefined) {
      leftRunner.run(
        status,
        progress,
        message,
        attempt,
        job.retries,
        job.error?.code ?? null,
        job.error?.message ?? null,
        startedAt,
        job.finishedAt?.getTime() ?? null,
        version,
        rev,
        due,
        row.n,
      );
    } else if (attempt !== row.attempt) {
      started.run(status, progress, message, attempt, startedAt, version, rev, row.n);
    } else {
      reported.run(progress, message, version, rev, row.n);
    }
    if (job.output !== UNREAD) updateOutput.run(toJson(job.output, job.id, "output"), row.n);
  }

  function discard(): void {
    jobs.clear();
    revs.clear();
    counted.clear();
  }

  return {
    get: (jobId) => jobs.get(jobId),
    put: (ahead) => void jobs.set(ahead.job.id, ahead),
    nextRev(row) {
      const rev = (revs.get(row.owner_n) ?? row.owner_rev) + 1;
      revs.set(row.owner_n, rev);
      return rev;
    },
    count(batchN, from, to, at) {
      const batch = counted.get(batchN) ?? batches.read(batchN);
      counted.set(batchN, recount(batch, from, to, at));
    },
    flush() {
      if (jobs.size === 0) return;
      for (const ahead of jobs.values()) write(ahead);
      for (const [n, rev] of revs) owners.set(n, rev);
      for (const [n, batch] of counted) batches.update(n, batch);
      discard();
    },
    discard,
  };
}
