/** Creation of jobs and of batches that are not large: records, first events and places in the queue in one transaction. */
import type { Audited, NewBatch } from "#server/engine/contract.ts";
import { assertQuota, type TenantQuota } from "#server/engine/quota.ts";
import { refuseIllFormed, refuseMember, refuseStrangers } from "#server/engine/reject-invalid.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { Job } from "#shared/job.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import type { Audit } from "./audit.ts";
import type { Batches } from "./batches.ts";
import type { TakeDebounced } from "./debounce.ts";
import type { Jobs } from "./jobs.ts";
import { encodeNew, type Fresh, type NewRows, usageOfNew } from "./new-rows.ts";
import type { Outbox } from "./outbox.ts";
import type { Owners, TakenRevs } from "./owners.ts";
import { READY } from "./queue.ts";
import type { Turns } from "./turns.ts";
import type { Usage } from "./usage.ts";

export interface Creation {
  createJob(fresh: NewJob & Audited, at: Date, quota?: TenantQuota): Job;
  createBatch(batch: NewBatch, jobs: readonly NewJob[], at: Date, quota?: TenantQuota): BatchRecord;
}

interface CreationOptions {
  rows: NewRows;
  owners: Owners;
  jobs: Jobs;
  batches: Batches;
  audit: Pick<Audit, "append">;
  outbox: Outbox;
  usage: Usage;
  turns: Pick<Turns, "add">;
  takeDebounced: TakeDebounced;
}

export function createCreation({
  rows,
  owners,
  jobs,
  batches,
  audit,
  outbox,
  usage,
  turns,
  takeDebounced,
}: CreationOptions): Creation {
  /** Throws `QuotaExceeded`. */
  function use(tenant: string, fresh: readonly Fresh[], quota: TenantQuota | undefined): void {
    const more = usageOfNew(fresh);
    if (quota !== undefined) assertQuota(quota, usage.of(tenant), more);
    usage.add(tenant, more);
  }

  function insert(fresh: Fresh, of: TakenRevs, batchN: number | bigint | null): Job {
    const { waiter, due, expires } = rows.insert(fresh, of, batchN);
    const { job, event } = fresh.created;
    if (due === READY) turns.add(waiter);
    outbox.job(event);
    if (due !== null) outbox.queued(due);
    if (expires !== null) outbox.expiring();
    return job;
  }

  return {
    createJob(fresh, at, quota) {
      refuseIllFormed(fresh);
      refuseMember(fresh);
      if (fresh.idempotencyKey !== undefined) {
        const owner = owners.find(fresh);
        const first = owner && jobs.findByKey(owner.n, fresh.idempotencyKey);
        if (first) return first;
      }
      const debounced = takeDebounced(fresh, at, quota);
      if (debounced !== undefined) return debounced;
      const encoded = encodeNew(fresh, at);
      use(fresh.tenant, [encoded], quota);
      const job = insert(encoded, owners.advance(fresh, 1), null);
      if (fresh.audit !== undefined) audit.append(fresh.tenant, fresh.audit);
      outbox.feed(fresh);
      return job;
    },
    createBatch(batch, fresh, at, quota) {
      refuseIllFormed(batch);
      const first = batches.findFirst(batch);
      if (first) return first;
      refuseStrangers(batch, fresh);
      const encoded = fresh.map((each) => encodeNew(each, at));
      use(batch.tenant, encoded, quota);
      const taken = owners.advance(batch, fresh.length);
      const inserted = batches.insert(batch, taken, fresh.length, at);
      let rev = taken.rev - fresh.length;
      for (const each of encoded) {
        rev += 1;
        insert(each, { ...taken, rev }, inserted.n);
      }
      if (batch.audit !== undefined) audit.append(batch.tenant, batch.audit);
      outbox.feed(batch);
      outbox.batch(batch.id);
      return inserted.batch;
    },
  };
}
