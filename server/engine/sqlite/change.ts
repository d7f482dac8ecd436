/** The one way a job changes: record, log, feed, queue and batch counts in one transaction. */
import type { Audited, Changed, ClaimRef } from "#server/engine/contract.ts";
import { delayOf, expiryOf, keepsRank } from "#server/engine/job-change.ts";
import { claimLost, notFound } from "#server/engine/errors.ts";
import { rankOf } from "#server/engine/turns.ts";
import { isSettled, type Job, summaryOf } from "#shared/job.ts";
import { applyChange, type JobChange } from "#shared/lifecycle.ts";
import { isOutside } from "#shared/outside.ts";
import type { Audit } from "./audit.ts";
import type { Jobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import type { JobRow } from "./job-rows.ts";
import { READY } from "./queue.ts";
import type { Turns } from "./turns.ts";
import { type Ahead, asStored, type WriteBehind } from "./write-behind.ts";

export interface Change {
  /** Changes a job; with a claim, only while the claim holds. */
  byId(jobId: string, change: JobChange & Audited, at: Date, claim?: ClaimRef): Changed;
  /** Changes a job as it was just read. */
  from(before: Ahead, change: JobChange, at: Date): Changed;
}

interface ChangeOptions {
  jobs: Jobs;
  log: Log;
  audit: Pick<Audit, "append">;
  outbox: Outbox;
  behind: WriteBehind;
  turns: Pick<Turns, "add" | "remove" | "release">;
  clock: () => number;
}

export function createChange({
  jobs,
  log,
  audit,
  outbox,
  behind,
  turns,
  clock,
}: ChangeOptions): Change {
  /** Gives a job that does not run its place in the queue, or takes it out. */
  function place(row: JobRow, job: Job, change: JobChange, at: Date): void {
    const { due, held, rank } = row;
    const delay = delayOf(job, change, at);
    // It waits long enough already.
    if (change.action === "debounce" && due === READY && delay === 0) return;
    row.held = 0;
    if (delay === null) row.due = null;
    else {
      const end = clock() + delay;
      row.due = delay === 0 ? READY : end;
      if (!keepsRank(change)) row.rank = rankOf(end, row.priority);
    }
    // Its new place comes first: a tenant whose only job gets another one keeps its turn.
    if (row.due === READY) turns.add(row);
    if (due === READY) turns.remove({ ...row, rank });
    if (held === 1 && turns.release(row)) outbox.queued(READY);
  }

  function queueTime(delay: number | null): number | null {
    return delay === null ? null : clock() + delay;
  }

  function from(before: Ahead, change: JobChange, at: Date): Changed {
    const { job, event } = applyChange(before.job, change, at);
    const { row } = before;
    // A running job keeps its claim and its lease; any other change ends the claim.
    if (job.status !== "PROCESSING") place(row, job, change, at);
    row.expires = queueTime(expiryOf(job, at));
    const reportedOnly = before.reportedOnly && change.action === "progress";
    // One hint for all changes of a transaction, as for the row.
    if (behind.put({ row, job, rev: behind.nextRev(row), reportedOnly })) outbox.feed(job);
    log.append(row.n, event);
    outbox.job(event);
    if (job.status === "PENDING" && row.due !== null) outbox.queued(row.due);
    if (row.expires !== null) outbox.expiring();
    const waits = Number(!isSettled(job.status)) - Number(!isSettled(before.job.status));
    if (waits !== 0 && !isOutside(job.kind))
      behind.use(row.tenant, { waitingJobs: waits, bytes: 0 });
    if (row.batch_n !== null && row.batch_id !== null && before.job.status !== job.status) {
      behind.count(row.batch_n, before.job.status, job.status, at);
      outbox.batch(row.batch_id);
    }
    return { job: summaryOf(job), event };
  }

  return {
    byId(jobId, change, at, claim) {
      const before = behind.get(jobId) ?? asStored(requireRow(jobs, jobId));
      if (claim) requireClaim(before.row, claim);
      const changed = from(before, change, at);
      if (change.audit !== undefined) audit.append(changed.job.tenant, change.audit);
      return changed;
    },
    from,
  };
}

export function requireRow(jobs: Jobs, jobId: string): JobRow {
  const row = jobs.findRow(jobId);
  if (!row) throw notFound(jobId);
  return row;
}

export function requireClaim(row: JobRow, claim: ClaimRef): void {
  if (row.id !== claim.jobId || row.held === 0 || row.token !== claim.token) {
    throw claimLost(row.id, claim);
  }
}
