/**
 * A reference model of the engine in memory. Records change by the same pure
 * lifecycle as in every engine; claims, drafts, feeds and counts are the model's own.
 */
import type { ClaimRef } from "#server/engine/contract.ts";
import { type BatchCounts, emptyCounts } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled, type Job } from "#shared/job.ts";
import { applyChange, createdJob, type JobChange, type NewJob } from "#shared/lifecycle.ts";

export interface ModelJob {
  job: Job;
  log: JobEvent[];
  draft: { attempt: number; text: string; head: number };
  /** Counts up over all jobs: the order of newest changes. */
  changedAt: number;
  /** When the job may be claimed, while it is neither held nor settled. */
  due: number;
  held: { token: number; until: number } | null;
}

export interface Model {
  /** In the order of their creation. */
  readonly jobs: ModelJob[];
  create(fresh: NewJob, at: Date): void;
  change(jobId: string, change: JobChange, at: Date, claim?: ClaimRef): void;
  append(claim: ClaimRef, text: string): void;
  /** PENDING jobs without a claim whose delay is over. */
  waiting(now: Date): ModelJob[];
  /** Jobs whose lease has expired. */
  lost(now: Date): ModelJob[];
  take(claim: ClaimRef, until: Date): void;
  /** Expires all leases. */
  restart(): void;
  counts(batchId: string): BatchCounts;
}

export function createModel(): Model {
  const jobs: ModelJob[] = [];
  let changes = 0;

  function get(jobId: string): ModelJob {
    const found = jobs.find(({ job }) => job.id === jobId);
    if (!found) throw new AppError("NOT_FOUND", jobId);
    return found;
  }

  function requireClaim(entry: ModelJob, claim: ClaimRef): void {
    if (entry.held?.token !== claim.token) throw new AppError("CLAIM_LOST", claim.jobId);
  }

  function queued(now: Date): ModelJob[] {
    return jobs.filter(
      ({ job, held, due }) => !isSettled(job.status) && !held && due <= now.getTime(),
    );
  }

  return {
    jobs,
    create(fresh, at) {
      const { job, event } = createdJob(fresh, at);
      jobs.push({
        job,
        log: [event],
        draft: { attempt: 0, text: "", head: 0 },
        changedAt: ++changes,
        due: at.getTime(),
        held: null,
      });
    },
    change(jobId, change, at, claim) {
      const entry = get(jobId);
      if (claim) requireClaim(entry, claim);
      const { job, event } = applyChange(entry.job, change, at);
      entry.job = job;
      entry.log.push(event);
      entry.changedAt = ++changes;
      if (isSettled(job.status)) entry.held = null;
      if (job.status === "PENDING") {
        entry.held = null;
        entry.due = at.getTime() + (change.action === "release" ? change.delayMs : 0);
      }
    },
    append(claim, text) {
      const entry = get(claim.jobId);
      requireClaim(entry, claim);
      if (entry.job.status !== "PROCESSING") throw new AppError("ILLEGAL_TRANSITION", "draft");
      const { attempt } = entry.job;
      const kept = entry.draft.attempt === attempt ? entry.draft.text : "";
      entry.draft = { attempt, text: kept + text, head: entry.draft.head + 1 };
    },
    waiting: (now) => queued(now).filter(({ job }) => job.status === "PENDING"),
    lost(now) {
      const unheld = queued(now).filter(({ job }) => job.status === "PROCESSING");
      return [...unheld, ...jobs.filter(({ held }) => held && held.until <= now.getTime())];
    },
    take({ jobId, token }, until) {
      get(jobId).held = { token, until: until.getTime() };
    },
    restart() {
      for (const entry of jobs) {
        if (entry.held) entry.held = { ...entry.held, until: 0 };
      }
    },
    counts(batchId) {
      const counts = emptyCounts();
      for (const { job } of jobs) if (job.batchId === batchId) counts[job.status] += 1;
      return counts;
    },
  };
}
