/** Creation of jobs and batches: record, first event and place in the queue in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Audited, NewBatch } from "#server/engine/contract.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { Job } from "#shared/job.ts";
import { createdJob, type NewJob } from "#shared/lifecycle.ts";
import type { Audit } from "./audit.ts";
import type { Batches } from "./batches.ts";
import { CREATED_COLUMNS, valuesOfJob } from "./job-rows.ts";
import type { Jobs } from "./jobs.ts";
import type { Log } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import type { Owners, TakenRevs } from "./owners.ts";
import { READY } from "./queue.ts";
import { insertInto } from "./rows.ts";
import type { Turns } from "./turns.ts";
import type { Usage } from "./usage.ts";
import { rankOf } from "#server/engine/turns.ts";
import { assertQuota, type TenantQuota } from "#server/engine/quota.ts";
import { toJson } from "#server/engine/payload.ts";
import { refuseIllFormed, refuseMember, refuseStrangers } from "#server/engine/reject-invalid.ts";

export interface Creation {
  createJob(fresh: NewJob & Audited, at: Date, quota?: TenantQuota): Job;
  createBatch(batch: NewBatch, jobs: readonly NewJob[], at: Date, quota?: TenantQuota): BatchRecord;
}

interface CreationOptions {
  db: DatabaseSync;
  owners: Owners;
  jobs: Jobs;
  batches: Batches;
  log: Log;
  audit: Pick<Audit, "append">;
  outbox: Outbox;
  usage: Usage;
  turns: Pick<Turns, "add">;
  clock: () => number;
}

/** A new job, and its JSON. */
interface Fresh {
  created: ReturnType<typeof createdJob>;
  idempotencyKey: string | undefined;
  key: string | null;
  trace: string | undefined;
  priority: number;
  input: string;
  output: string;
}

export function createCreation({
  db,
  owners,
  jobs,
  batches,
  log,
  audit,
  outbox,
  usage,
  turns,
  clock,
}: CreationOptions): Creation {
  const insertJob = db.prepare(
    insertInto("jobs", [
      "owner_n",
      "tenant_n",
      "batch_n",
      "rev",
      "due",
      "idempotency_key",
      "trace",
      "priority",
      "rank",
      "key",
      ...CREATED_COLUMNS,
    ]),
  );
  const insertPayload = db.prepare("INSERT INTO payloads (job_n, input, output) VALUES (?, ?, ?)");

  /** Throws `QuotaExceeded`. */
  function encode(
    tenant: string,
    { jobs: all, at, quota }: { jobs: readonly NewJob[]; at: Date; quota: TenantQuota | undefined },
  ): Fresh[] {
    let bytes = 0;
    const encoded = all.map((fresh) => {
      const created = createdJob(fresh, at);
      const { id, input, output } = created.job;
      const json = { input: toJson(input, id, "input"), output: toJson(output, id, "output") };
      bytes += Buffer.byteLength(json.input) + Buffer.byteLength(json.output);
      const { idempotencyKey, key = null, trace, priority = 0 } = fresh;
      return { created, idempotencyKey, key, trace, priority, ...json };
    });
    const more = { waitingJobs: all.length, bytes };
    if (quota !== undefined) assertQuota(quota, usage.of(tenant), more);
    usage.add(tenant, more);
    return encoded;
  }

  function insert(
    { created: { job, event }, idempotencyKey, key, trace, priority, input, output }: Fresh,
    { ownerN, tenantN, rev }: TakenRevs,
    batchN: number | bigint | null,
  ): Job {
    const rank = rankOf(clock(), priority);
    const { lastInsertRowid: n } = insertJob.run(
      ownerN,
      tenantN,
      batchN,
      rev,
      READY,
      idempotencyKey ?? null,
      trace ?? null,
      priority,
      rank,
      key,
      ...valuesOfJob(job, CREATED_COLUMNS),
    );
    insertPayload.run(n, input, output);
    const { tenant, kind } = job;
    turns.add({ n: Number(n), tenant_n: tenantN, tenant, kind, key, rank });
    log.append(n, event);
    outbox.job(event);
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
      const [encoded] = encode(fresh.tenant, { jobs: [fresh], at, quota }) as [Fresh];
      const taken = owners.advance(fresh, 1);
      const job = insert(encoded, taken, null);
      if (fresh.audit !== undefined) audit.append(fresh.tenant, fresh.audit);
      outbox.feed(fresh);
      outbox.queued(READY);
      return job;
    },
    createBatch(batch, fresh, at, quota) {
      refuseIllFormed(batch);
      if (batch.idempotencyKey !== undefined) {
        const owner = owners.find(batch);
        const first = owner && batches.findByKey(owner.n, batch.idempotencyKey);
        if (first) return first;
      }
      refuseStrangers(batch, fresh);
      const encoded = encode(batch.tenant, { jobs: fresh, at, quota });
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
      outbox.queued(READY);
      return inserted.batch;
    },
  };
}
