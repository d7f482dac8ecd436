/**
 * Creates jobs and batches: one script stores them with their places in the queue, and the ring is told right afterwards. A
 * large batch takes several (`large-batch.ts`).
 */
import type { Client } from "./client.ts";
import type { Audited, NewBatch } from "#server/engine/contract.ts";
import { refuseIllFormed, refuseMember, refuseStrangers } from "#server/engine/reject-invalid.ts";
import { QuotaExceeded, type TenantQuota } from "#server/engine/quota.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import type { AuditEntry } from "#shared/audit.ts";
import type { Debounce } from "#shared/create-options.ts";
import { type Job, summaryOf } from "#shared/job.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import type { Owner } from "#shared/principal.ts";
import type { EncodeAudit } from "./audit.ts";
import type { Change } from "./change.ts";
import type { Newest } from "./newest.ts";
import { type Keys, ownerKey } from "./keys.ts";
import type { StoreLargeBatch } from "./large-batch.ts";
import { encodeRows, type Rows } from "./new-rows.ts";
import { encodeBatch } from "./records.ts";
import type { News, Ring } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import { takenId, type TenantDirectory } from "./tenant-directory.ts";

export interface Creation {
  /** Returns the id of the stored job, or of the earlier job if the idempotency key was used before, or the job that took the call. */
  job(fresh: NewJob & Audited, made: Made): Promise<string | Job>;
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
  rows: Rows;
  audit: AuditEntry | undefined;
}

const GONE: ReadonlySet<ErrorCode> = new Set(["ILLEGAL_TRANSITION", "NOT_FOUND"]);

type Answer =
  | ["ok", moment: number, alarm: string, free: string[]]
  | ["debounced", string]
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
  change: Pick<Change, "byId">;
  storeLargeBatch: StoreLargeBatch;
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
  change,
  storeLargeBatch,
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
    rows: { created, args },
    audit,
  }: Asked): Promise<string | undefined> {
    const ids = jobs.map(({ id }) => id);
    if (batch) ids.push(batch.id);
    const expires = created.some(({ job }) => job.expiresAt !== null);
    const [strange] = await Promise.all([
      tenants.note(owner.tenant, ids),
      // Before the jobs: no expiry is missed.
      expires && run("note-expiring", keys.expiring, owner.tenant, "note"),
    ]);
    if (strange !== undefined) throw takenId(strange);
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
      debounceName(jobs[0]),
      args,
    );
    switch (answer[0]) {
      case "ok":
        for (const { job } of created) newest.set({ job: summaryOf(job), op: name });
        await ring.tell(newsOf(owner.tenant, answer));
        return undefined;
      case "debounced":
        await tenants.forget(owner.tenant, ids);
        return answer[1];
      case "taken":
        throw takenId(answer[1]);
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

  /** Returns the refusal where the job was started, cancelled or given to another owner meanwhile. */
  async function join(
    jobId: string,
    { input, title, key, actor, audit }: NewJob & Audited,
    to: Debounce,
    at: Date,
  ): Promise<Job | AppError> {
    const entry = audit && { ...audit, target: jobId };
    try {
      const asked = {
        action: "debounce",
        input,
        title,
        key,
        debounce: to,
        actor,
        audit: entry,
      } as const;
      const { job } = await change.byId(jobId, asked, at);
      return { ...job, input, output: null };
    } catch (error) {
      if (error instanceof AppError && GONE.has(error.code)) return error;
      throw error;
    }
  }

  return {
    async job(fresh, made) {
      refuseIllFormed(fresh);
      refuseMember(fresh);
      const { idempotencyKey: key, audit } = fresh;
      const jobs = [fresh];
      const [rows] = (await encodeRows(jobs, made.at)) as [Rows];
      const asked = { ...made, owner: fresh, key, batch: undefined, jobs, rows, audit };
      const { debounce } = fresh;
      let before: string | undefined;
      for (;;) {
        const first = await store(asked);
        // A call that was sent twice finds its own job.
        if (first === undefined || first === fresh.id) return fresh.id;
        if (debounce === undefined) return first;
        const joined = await join(first, fresh, debounce, made.at);
        if (!(joined instanceof AppError)) return joined;
        // It still waits, so it refuses the call for another reason, such as the length of its log.
        if (first === before) throw joined;
        before = first;
      }
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
      const all = await encodeRows(jobs, made.at);
      const [rows, ...more] = all as [Rows, ...Rows[]];
      if (more.length > 0) return storeLargeBatch(batch, all, made);
      const asked = { ...made, owner: batch, key, batch, jobs, rows, audit };
      return (await store(asked)) ?? batch.id;
    },
  };
}

/** The place of a debounced job among those of its owner. A kind's name has no space. */
export function debounceName(job: Pick<NewJob, "kind" | "debounce"> | undefined): string {
  return job?.debounce === undefined ? "" : `${job.kind} ${job.debounce.key}`;
}

function newsOf(
  tenant: string,
  [, moment, alarm, free]: Extract<Answer, ["ok", ...unknown[]]>,
): News[] {
  const ready: News[] = moment > 0 ? [{ tenant, is: "ready", moment, free }] : [];
  return alarm === "" ? ready : [...ready, { tenant, alarm }];
}
