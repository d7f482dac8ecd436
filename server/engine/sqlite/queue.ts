/**
 * The queue is one column of jobs: `due`, when the next claim may take the job. It is `READY`, which is no time, where
 * the job need not wait; else it is the end of its delay, or of the lease while a runner holds it, so the jobs of a
 * dead runner need no search. At that time `due` becomes `READY` too, and jobs are taken in the order of their
 * creation.
 *
 * Times are those of a steady clock (`steady-clock.ts`). No stored time but these decides about a job, so setting the
 * machine's clock changes nothing while the process runs.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Claim, ClaimRef, ClaimRequest } from "#server/engine/contract.ts";
import { readable } from "#server/engine/payload.ts";
import { MAX_DELAY_MS } from "#shared/limits.ts";
import { startOf } from "#server/engine/start.ts";
import type { Change } from "./change.ts";
import type { Jobs } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import { selectJobs, summaryOfRow } from "./job-rows.ts";
import { asStored } from "./write-behind.ts";

/** `due` of a job that the next claim may take. */
export const READY = 0;

export interface Queue {
  /** True if a claim would find a job. */
  isDue(): boolean;
  claim(request: ClaimRequest): Claim[];
  renew(claims: readonly ClaimRef[], leaseMs: number): ClaimRef[];
}

/**
 * Jobs that an earlier process left in the queue and that need not wait; the parameter is the time now. A lease is over,
 * because this process holds the file. A job that was never started waits for nothing; older versions stored the time at
 * which it was queued. A delay that seems longer than any can be is over: the machine's clock was set back.
 */
export const LEFT_READY = `due > 0 AND (held = 1 OR attempt = 0 OR due > ? + ${MAX_DELAY_MS})`;

/** Runs at the start of a process. `now`: by the process's own clock. */
export function makeReady(db: DatabaseSync, now: number): void {
  db.prepare(`UPDATE jobs SET due = 0, held = 0 WHERE ${LEFT_READY}`).run(now);
}

/** The first due time or end of a lease that is later than `after`. */
export function createNextDue(db: DatabaseSync): (after: number) => number | undefined {
  const next = db.prepare("SELECT due FROM jobs WHERE due > ? ORDER BY due LIMIT 1");
  return (after) => (next.get(after) as { due: number } | undefined)?.due;
}

interface QueueOptions {
  db: DatabaseSync;
  jobs: Jobs;
  outbox: Outbox;
  change: Pick<Change, "from">;
  clock: () => number;
}

export function createQueue({ db, jobs, outbox, change, clock }: QueueOptions): Queue {
  const comeDue = db.prepare("UPDATE jobs SET due = 0 WHERE due > 0 AND due <= ?");
  const ready = selectJobs(db, "WHERE jobs.due = 0 ORDER BY jobs.n LIMIT ?");
  const take = db.prepare("UPDATE jobs SET due = ?, held = 1, token = token + 1 WHERE n = ?");
  const prolong = db.prepare(
    "UPDATE jobs SET due = ? WHERE id = ? AND held = 1 AND token = ? RETURNING n",
  );
  const anyDue = db.prepare("SELECT 1 FROM jobs WHERE due <= ? LIMIT 1");
  return {
    isDue: () => anyDue.get(clock()) !== undefined,
    claim({ max, leaseMs, now: at, start }) {
      const now = clock();
      comeDue.run(now);
      const rows = ready.all(max);
      if (rows.length === 0) return [];
      outbox.leased();
      const end = now + leaseMs;
      return rows.map((row) => {
        const claim = { jobId: row.id, token: row.token + 1, trace: row.trace ?? undefined };
        const { payload, fault } = readable(() => jobs.payload(row));
        if (start === undefined || row.status !== "PENDING") {
          take.run(end, row.n);
          return { ...claim, job: Object.assign(summaryOfRow(row), payload), started: null, fault };
        }
        Object.assign(row, { due: end, held: 1, token: claim.token });
        const before = asStored(row);
        const begun = startOf(start, before.job);
        const { job, event } = change.from(before, begun.change, at);
        return {
          ...claim,
          job: Object.assign(job, payload),
          started: event,
          fault: fault ?? begun.fault,
        };
      });
    },
    renew(claims, leaseMs) {
      const end = clock() + leaseMs;
      const lost = claims.filter(({ jobId, token }) => !prolong.get(end, jobId, token));
      if (lost.length < claims.length) outbox.leased();
      return lost;
    },
  };
}
