/** Gives jobs and batches to another owner: only the rows of the jobs and batches themselves name their owner. */
import type { DatabaseSync } from "node:sqlite";
import { type Assigned, NONE_UNSETTLED, refuseSameOwner } from "#server/engine/assignment.ts";
import { isSettled, type JobStatus } from "#shared/job.ts";
import type { Owner } from "#shared/principal.ts";
import type { Outbox } from "./outbox.ts";
import type { Owners, TakenRevs } from "./owners.ts";
import { READY } from "./queue.ts";
import type { TenantRef, Turns } from "./turns.ts";
import type { Usage } from "./usage.ts";

interface AssignOptions {
  db: DatabaseSync;
  owners: Pick<Owners, "find" | "advance" | "forget">;
  usage: Pick<Usage, "add">;
  turns: Pick<Turns, "add" | "remove">;
  outbox: Pick<Outbox, "feed">;
}

interface OwnedJob {
  n: number;
  tenant_n: number;
  status: JobStatus;
  due: number | null;
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
    `SELECT n, tenant_n, status, due, octet_length(input) + octet_length(output) AS bytes
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

  /** Ready jobs wait in the turns of their new tenant. */
  function moveReady(jobs: readonly OwnedJob[], to: TenantRef): void {
    for (const { due, tenant_n: tenantN } of jobs) {
      if (due !== READY || tenantN === to.n) continue;
      turns.remove(tenantN, 1);
      turns.add(to, 1);
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
    moveReady(jobs, { n: taken.tenantN, tenant: to.tenant });
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
