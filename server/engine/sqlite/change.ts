/** The one way a job changes: record, log, feed, queue and batch counts in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Changed, ClaimRef } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { isSettled, type Job, summaryOf } from "#shared/job.ts";
import { applyChange, type JobChange } from "#shared/lifecycle.ts";
import type { Batches } from "./batches.ts";
import type { Jobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import type { Owners } from "./owners.ts";
import { toJson } from "./payload.ts";
import { type JobRow, summaryOfRow } from "./rows.ts";
import type { WriteBehind } from "./write-behind.ts";

export type ChangeJob = (jobId: string, change: JobChange, at: Date, claim?: ClaimRef) => Changed;

/** Stands for a payload that was not read, because the change does not need it. */
const UNREAD = Symbol("unread");

function jobOf(row: JobRow): Job {
  return { ...summaryOfRow(row), input: UNREAD, output: UNREAD };
}

export function createChange(
  db: DatabaseSync,
  owners: Owners,
  jobs: Jobs,
  batches: Batches,
  log: Log,
  outbox: Outbox,
  behind: WriteBehind,
): ChangeJob {
  const updateStatus = db.prepare(
    `UPDATE jobs SET status = ?, progress = ?, message = ?, attempt = ?, retries = ?, error_code = ?,
       error_message = ?, started_at = ?, finished_at = ?, version = ?, rev = ? WHERE n = ?`,
  );
  const queue = db.prepare("UPDATE jobs SET due = ?, held = 0 WHERE n = ?");
  const updateOutput = db.prepare("UPDATE payloads SET output = ? WHERE job_n = ?");

  /** The frequent one: the log has each of them, the row only the last. */
  function report(jobId: string, change: JobChange, at: Date, claim?: ClaimRef): Changed {
    const known = behind.get(jobId);
    const row = known?.row ?? requireRow(jobs, jobId);
    if (claim) requireClaim(row, claim);
    const { job, event } = applyChange(known?.job ?? jobOf(row), change, at);
    log.append(row.n, event);
    behind.put({ row, job, rev: behind.rev(row.owner_n, row.owner_rev) + 1 });
    outbox.job(event);
    // Once for all of them, as the row.
    if (known === undefined) outbox.feed(job);
    return { job: summaryOf(job), event };
  }

  return (jobId, change, at, claim) => {
    if (change.action === "progress") return report(jobId, change, at, claim);
    behind.flush();
    const row = requireRow(jobs, jobId);
    if (claim) requireClaim(row, claim);
    const { job, event } = applyChange(jobOf(row), change, at);
    const rev = row.owner_rev + 1;
    owners.set(row.owner_n, rev);
    updateStatus.run(
      job.status,
      job.progress,
      job.message,
      job.attempt,
      job.retries,
      job.error?.code ?? null,
      job.error?.message ?? null,
      job.startedAt?.getTime() ?? null,
      job.finishedAt?.getTime() ?? null,
      job.version,
      rev,
      row.n,
    );
    if (job.output !== UNREAD) updateOutput.run(toJson(job.output, jobId, "output"), row.n);
    if (isSettled(job.status)) {
      queue.run(null, row.n);
    } else if (job.status === "PENDING") {
      const due = (change.action === "release" ? change.runAt : at).getTime();
      queue.run(due, row.n);
      outbox.queued(due);
    }
    if (row.batch_n !== null && row.batch_id !== null && row.status !== job.status) {
      batches.count(row.batch_n, row.status, job.status, at);
      outbox.batch(row.batch_id);
    }
    log.append(row.n, event);
    outbox.job(event);
    outbox.feed(job);
    return { job: summaryOf(job), event };
  };
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
