/** Gives jobs and batches to another owner: only the rows of the jobs and batches themselves name their owner. */
import type { DatabaseSync } from "node:sqlite";
import { type Assigned, NONE_UNSETTLED, refuseSameOwner } from "#server/engine/assignment.ts";
import { isSettled, type JobStatus } from "#shared/job.ts";
import type { Owner } from "#shared/principal.ts";
import type { Outbox } from "./outbox.ts";
import type { Owners, TakenRevs } from "./owners.ts";
import { READY } from "./queue.ts";
import type { Waiter } from "./queue-lines.ts";
import type { Turns } from "./turns.ts";
import type { Usage } from "./usage.ts";

interface AssignOptions {
  db: DatabaseSync;
  owners: Pick<Owners, "find" | "advance" | "forget">;
  usage: Pick<Usage, "add">;
  turns: Pick<Turns, "add" | "remove" | "hold" | "release">;
  outbox: Pick<Outbox, "feed" | "queued">;
}

interface OwnedJob extends Omit<Waiter, "tenant"> {
  status: JobStatus;
  due: number | null;
  held: number;
  bytes: number;
}

/** Moves at most `limit` jobs and as many batches; returns how many. */
export function createAssign({
  db,
  owners,
  usage,
  turns,
  outbox,
}: AssignOptions): (from: Owner, to: Owner, limit: number) => Assigned {
  const jobsOf = db.prepare(
    `SELECT n, tenant_n, kind, key, rank, status, due, held, octet_length(input) + octet_length(output) AS bytes
     FROM jobs JOIN payloads ON payloads.job_n = jobs.n WHERE owner_n = ? ORDER BY n LIMIT ?`,
  );
  const batchesOf = db.prepare("SELECT n FROM batches WHERE owner_n = ? ORDER BY n LIMIT ?");
  const dropUsedKey = (table: "jobs" | "batches") =>
    db.prepare(
      `UPDATE ${table} SET idempotency_key = NULL WHERE n = ? AND idempotency_key IS NOT NULL AND EXISTS (
         SELECT 1 FROM ${table} AS used WHERE used.owner_n = ? AND used.idempotency_key = ${table}.idempotency_key)`,
    );
  const dropKeyOfJob = dropUsedKey("jobs");
  const dropKeyOfBatch = dropUsedKey("batches");
  const moveJob = db.prepare("UPDATE jobs SET owner_n = ?, tenant_n = ?, rev = ? WHERE n = ?");
  const moveBatch = db.prepare("UPDATE batches SET owner_n = ?, tenant_n = ? WHERE n = ?");

  function moveJobs(jobs: readonly OwnedJob[], { ownerN, tenantN, rev: last }: TakenRevs): void {
    let rev = last - jobs.length;
    for (const { n } of jobs) {
      rev += 1;
      dropKeyOfJob.run(n, ownerN);
      moveJob.run(ownerN, tenantN, rev, n);
    }
  }

  /** Ready jobs wait in the turns of their new tenant, and running ones count there. */
  function moveLines(jobs: readonly OwnedJob[], from: Owner, to: Owner & { n: number }): void {
    for (const job of jobs) {
      if (job.tenant_n === to.n) continue;
      const before = { ...job, tenant: from.tenant };
      const after = { ...job, tenant_n: to.n, tenant: to.tenant };
      if (job.due === READY) {
        turns.remove(before);
        turns.add(after);
      }
      if (job.held === 1) {
        turns.hold(after);
        turns.release(before);
      }
      // Other jobs wait for the same limits there, or here.
      outbox.queued(READY);
    }
  }

  return (from, to, limit) => {
    refuseSameOwner(from, to);
    const source = owners.find(from);
    if (source === undefined) return { moved: 0, unsettled: NONE_UNSETTLED };
    const jobs = jobsOf.all(source.n, limit) as unknown as OwnedJob[];
    const batches = batchesOf.all(source.n, limit) as unknown as Pick<OwnedJob, "n">[];
    const taken = owners.advance(to, jobs.length);
    moveJobs(jobs, taken);
    moveLines(jobs, from, { ...to, n: taken.tenantN });
    for (const { n } of batches) {
      dropKeyOfBatch.run(n, taken.ownerN);
      moveBatch.run(taken.ownerN, taken.tenantN, n);
    }
    const waitingJobs = jobs.filter(({ status }) => !isSettled(status)).length;
    const bytes = jobs.reduce((sum, job) => sum + job.bytes, 0);
    usage.add(from.tenant, { waitingJobs: -waitingJobs, bytes: -bytes });
    usage.add(to.tenant, { waitingJobs, bytes });
    owners.forget(source.n);
    for (const owner of [from, to]) outbox.feed(owner);
    return { moved: jobs.length + batches.length, unsettled: NONE_UNSETTLED };
  };
}
