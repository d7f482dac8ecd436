/**
 * The queue is one column of jobs: `due`, when the next claim may take the job. That is the time it was queued
 * for, or the end of the lease while somebody holds it; a runner that died needs no search.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Claim, ClaimRef, ClaimRequest } from "#server/engine/contract.ts";
import { readable } from "#server/engine/common/payload.ts";
import { startOf } from "#server/engine/common/start.ts";
import type { Change } from "./change.ts";
import type { Jobs } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import { selectJobs, summaryOfRow } from "./job-rows.ts";
import { asStored } from "./write-behind.ts";

export interface Queue {
  /** Whether a claim would find something. */
  isDue(now: Date): boolean;
  claim(request: ClaimRequest): Claim[];
  renew(claims: readonly ClaimRef[], leaseMs: number, now: Date): ClaimRef[];
}

/** Ends the leases of an earlier process: it is gone, because this one holds the file. */
export function endLeases(db: DatabaseSync): void {
  db.exec("UPDATE jobs SET due = 0, held = 0 WHERE due > 0 AND held = 1");
}

/** The first due time or end of a lease that is later than `after`. */
export function createNextDue(db: DatabaseSync): (after: number) => number | undefined {
  const next = db.prepare("SELECT due FROM jobs WHERE due > ? ORDER BY due LIMIT 1");
  return (after) => (next.get(after) as { due: number } | undefined)?.due;
}

export function createQueue(
  db: DatabaseSync,
  jobs: Jobs,
  outbox: Outbox,
  changes: Pick<Change, "from">,
): Queue {
  const due = selectJobs(db, "WHERE jobs.due <= ? ORDER BY jobs.due, jobs.n LIMIT ?");
  const take = db.prepare("UPDATE jobs SET due = ?, held = 1, token = token + 1 WHERE n = ?");
  const prolong = db.prepare(
    "UPDATE jobs SET due = ? WHERE id = ? AND held = 1 AND token = ? RETURNING n",
  );
  const anyDue = db.prepare("SELECT 1 FROM jobs WHERE due <= ? LIMIT 1");
  return {
    isDue: (now) => anyDue.get(now.getTime()) !== undefined,
    claim({ max, leaseMs, now: at, start }) {
      const rows = due.all(at.getTime(), max);
      if (rows.length === 0) return [];
      outbox.leased();
      const end = at.getTime() + leaseMs;
      return rows.map((row) => {
        const claim = { jobId: row.id, token: row.token + 1 };
        const { payload, fault } = readable(() => jobs.payload(row));
        if (start === undefined || row.status !== "PENDING") {
          take.run(end, row.n);
          return { ...claim, job: Object.assign(summaryOfRow(row), payload), started: null, fault };
        }
        Object.assign(row, { due: end, held: 1, token: claim.token });
        const before = asStored(row);
        const begun = startOf(start, before.job);
        const { job, event } = changes.from(before, begun.change, at);
        return {
          ...claim,
          job: Object.assign(job, payload),
          started: event,
          fault: fault ?? begun.fault,
        };
      });
    },
    renew(claims, leaseMs, now) {
      const end = now.getTime() + leaseMs;
      const lost = claims.filter(({ jobId, token }) => !prolong.get(end, jobId, token));
      if (lost.length < claims.length) outbox.leased();
      return lost;
    },
  };
}
