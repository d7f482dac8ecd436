/** Creates jobs and batches: one script stores them with their places in the queue, and the ring is told right afterwards. */
import type { Client } from "./client.ts";
import type { Audited, NewBatch } from "#server/engine/contract.ts";
import { toJson } from "#server/engine/payload.ts";
import { refuseIllFormed, refuseMember, refuseStrangers } from "#server/engine/reject-invalid.ts";
import { QuotaExceeded, type TenantQuota } from "#server/engine/quota.ts";
import { AppError } from "#shared/errors.ts";
import type { AuditEntry } from "#shared/audit.ts";
import { type Job, summaryOf } from "#shared/job.ts";
import { createdJob, type NewJob } from "#shared/lifecycle.ts";
import type { Owner } from "#shared/principal.ts";
import type { EncodeAudit } from "./audit.ts";
import type { Newest } from "./newest.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { encodeBatch, encodeEvent, encodeSummary } from "./records.ts";
import type { Ring } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface Creation {
  /** Returns the id of the stored job, or of the earlier job if the idempotency key was used before. */
  job(fresh: NewJob & Audited, made: Made): Promise<string>;
  batch(batch: NewBatch, jobs: readonly NewJob[], made: Made): Promise<string>;
}

export interface Made {
  at: Date;
  quota: TenantQuota | undefined;
}

/** A request to create one job, or a batch of them. */
interface Asked extends Made {
  owner: Owner;
  key: string | undefined;
  batch: NewBatch | undefined;
  jobs: readonly NewJob[];
  audit: AuditEntry | undefined;
}

type Created = ReturnType<typeof createdJob>;
type Answer =
  | ["ok", moment: number, free: string[]]
  | ["first", string]
  | ["taken", string]
  | ["full", keyof TenantQuota];

interface CreationOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  newest: Newest;
  ring: Pick<Ring, "tell">;
  encodeAudit: EncodeAudit;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createCreation({
  redis,
  run,
  keys,
  tenants,
  newest,
  ring,
  encodeAudit,
  op,
}: CreationOptions): Creation {
  async function store({
    owner,
    at,
    quota,
    key,
    batch,
    jobs,
    audit,
  }: Asked): Promise<string | undefined> {
    const created = jobs.map((fresh) => createdJob(fresh, at));
    const ids = jobs.map(({ id }) => id);
    if (batch) ids.push(batch.id);
    const strange = await tenants.note(owner.tenant, ids);
    if (strange !== undefined) throw taken(strange);
    const name = op();
    const answer = await run<Answer>(
      "create",
      keys.tenant(owner.tenant),
      name,
      ownerKey(owner),
      at.getTime(),
      key ?? "",
      batch?.id ?? "",
      batch ? encodeBatch(batch, at) : "",
      audit ? encodeAudit(audit) : "",
      quota?.waitingJobs ?? 0,
      quota?.bytes ?? 0,
      created.flatMap((each, index) => rowOf(each, jobs[index] as NewJob)),
    );
    switch (answer[0]) {
      case "ok":
        for (const { job } of created) newest.set({ job: summaryOf(job), op: name });
        if (answer[1] > 0) {
          const [, moment, free] = answer;
          await ring.tell([{ tenant: owner.tenant, is: "ready", moment, free }]);
        }
        return undefined;
      case "taken":
        throw taken(answer[1]);
      case "full":
        await tenants.forget(owner.tenant, ids);
        throw new QuotaExceeded(answer[1]);
      case "first":
        // ioredis can send a call twice; the second one finds its own job.
        if (!ids.includes(answer[1])) await tenants.forget(owner.tenant, ids);
        // Of its own job it tells again, which is no harm.
        else {
          const free = [...new Set(jobs.map(({ kind }) => kind))];
          await ring.tell([{ tenant: owner.tenant, is: "ready", moment: 1, free }]);
        }
        return answer[1];
    }
  }

  return {
    async job(fresh, made) {
      refuseIllFormed(fresh);
      refuseMember(fresh);
      const key = fresh.idempotencyKey;
      return (
        (await store({
          ...made,
          owner: fresh,
          key,
          batch: undefined,
          jobs: [fresh],
          audit: fresh.audit,
        })) ?? fresh.id
      );
    },
    async batch(batch, jobs, made) {
      refuseIllFormed(batch);
      const key = batch.idempotencyKey;
      if (key !== undefined) {
        const first = await redis.hget(`${keys.owner(batch)}:batch-keys`, key);
        if (first !== null) return first;
      }
      refuseStrangers(batch, jobs);
      const { audit } = batch;
      const asked = { ...made, owner: batch, key, batch, jobs, audit };
      return (await store(asked)) ?? batch.id;
    },
  };
}

/** The arguments of the script for one job. */
function rowOf({ job, event }: Created, { priority = 0, trace = "", key }: NewJob): string[] {
  const record = encodeSummary(summaryOf(job));
  const line = key === undefined ? "" : `=${key}`;
  return [job.id, job.kind, record, inputOf(job), encodeEvent(event), `${priority}`, trace, line];
}

function inputOf({ id, input }: Job): string {
  return toJson(input, id, "input");
}

function taken(id: string): AppError {
  return new AppError(
    "INTERNAL",
    `A job or batch with the id ${id} already exists. Nothing was stored.`,
  );
}
