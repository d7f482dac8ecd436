/** The one way a job changes: record, log, feed, queue and batch counts in one transaction. */
import type { Changed, ClaimRef } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { isSettled, type JobStatus, summaryOf } from "#shared/job.ts";
import { applyChange, type JobChange } from "#shared/lifecycle.ts";
import type { Jobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import type { JobRow } from "./rows.ts";
import { asStored, type WriteBehind } from "./write-behind.ts";

export type ChangeJob = (jobId: string, change: JobChange, at: Date, claim?: ClaimRef) => Changed;

export function createChange(jobs: Jobs, log: Log, outbox: Outbox, behind: WriteBehind): ChangeJob {
  return (jobId, change, at, claim) => {
    const changed = behind.get(jobId);
    const before = changed ?? asStored(requireRow(jobs, jobId));
    if (claim) requireClaim(before.row, claim);
    const { job, event } = applyChange(before.job, change, at);
    const due = job.status === "PROCESSING" ? before.due : dueAfter(job.status, change, at);
    // Whoever held it does not any more.
    const row = due === undefined ? before.row : { ...before.row, held: 0 };
    behind.put({ row, job, due, rev: behind.nextRev(row) });
    log.append(row.n, event);
    outbox.job(event);
    // Once for all changes of a transaction, as the row.
    if (changed === undefined) outbox.feed(job);
    if (job.status === "PENDING" && typeof due === "number") outbox.queued(due);
    if (row.batch_n !== null && row.batch_id !== null && before.job.status !== job.status) {
      behind.count(row.batch_n, before.job.status, job.status, at);
      outbox.batch(row.batch_id);
    }
    return { job: summaryOf(job), event };
  };
}

/** When the next claim may take a job that does not run. */
function dueAfter(status: JobStatus, change: JobChange, at: Date): number | null {
  if (isSettled(status)) return null;
  return (change.action === "release" ? change.runAt : at).getTime();
}

export function requireRow(jobs: Jobs, jobId: string): JobRow {
  const row = jobs.findRow(jobId);
  if (!row) throw new AppError("NOT_FOUND", `There is no job ${jobId}.`);
  return row;
}

export function requireClaim(row: JobRow, claim: ClaimRef): void {
  if (row.id !== claim.jobId || row.held === 0 || row.token !== claim.token) {
    throw new AppError(
      "CLAIM_LOST",
      `Claim ${claim.token} does not hold job ${row.id} any more: it ended, or another runner got the job. Stop working on it.`,
    );
  }
}
