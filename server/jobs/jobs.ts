/**
 * Commands and reads of jobs and batches. Every call carries a principal; jobs and batches that it may not read do not exist
 * for it.
 */
import { v7 as newId } from "uuid";
import {
  type Audited,
  type BatchPage,
  type Engine,
  type JobPage,
} from "#server/engine/contract.ts";
import { limitsOfKinds } from "#server/kinds/policies.ts";
import type { KindRegistry } from "#server/kinds/registry.ts";
import { inBatchSpan, inJobSpan } from "#server/tracing/job-spans.ts";
import type { KindInfo } from "#shared/api.ts";
import { type ActingPrincipal, actorOf } from "#shared/actor.ts";
import type { BatchOptions, CreateOptions } from "#shared/api-inputs.ts";
import { assertKind } from "#shared/assert-kind.ts";
import { type AuditAction, auditActorOf, type AuditEntry } from "#shared/audit.ts";
import { type Batch, batchOf, type BatchRecord } from "#shared/batch.ts";
import { DEFAULT_PRIORITY } from "#shared/create-options.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled, type Job } from "#shared/job.ts";
import type { JobFilter } from "#shared/job-filter.ts";
import type { JobChange, NewJob } from "#shared/lifecycle.ts";
import type { LogLine } from "#shared/log-line.ts";
import { isPausedBy } from "#shared/pause.ts";
import { mayReadLines, ownerOf, type Principal } from "#shared/principal.ts";
import { type OwnersAsked, ownersFor } from "#shared/owners-asked.ts";
import { jobsOfBatch } from "./batch-jobs.ts";
import { fieldsOf } from "./create-options.ts";
import type { JobWaiting } from "#shared/waiting.ts";
import { assertSameBatch, assertSameJob, type SameRequest } from "./same-request.ts";
import { describeWaiting } from "./describe-waiting.ts";
import { eventsOfPage } from "./event-page.ts";
import type { ScheduledRequest } from "./scheduled-request.ts";
import { limitTenants, type TenantLimits } from "./tenant-limits.ts";
import { createRequestValidator, type JobRequest } from "./validate-request.ts";
import { answerTo, changer, type May, noJob, reader, visible } from "./visible.ts";

/** A caller's decision about a job, with a note. */
export type Decision = Extract<JobChange, { note?: string | undefined }>["action"];

export interface Jobs {
  kinds(): readonly KindInfo[];
  /** `KEY_REUSED` where `sameRequest` asks for it. */
  create(
    principal: ActingPrincipal,
    request: JobRequest & CreateOptions & SameRequest,
  ): Promise<Job>;
  /** Creates a job for the owner of a schedule. Rejects as `create` does. */
  createScheduled(principal: ActingPrincipal, request: ScheduledRequest): Promise<Job>;
  /** With `kind`: `NOT_FOUND` also for a job of another kind. */
  get(principal: Principal, jobId: string, kind?: string): Promise<Job>;
  /** Why the job waits. `null`: it does not. */
  waiting(principal: Principal, jobId: string): Promise<JobWaiting | null>;
  list(
    principal: Principal,
    query: OwnersAsked & JobFilter & { cursor?: string | undefined; limit: number },
  ): Promise<JobPage>;
  /** A page of a job's log, oldest first. `nextCursor` is the last `seq` of a page that is not the last. */
  events(
    principal: Principal,
    query: { jobId: string; after: number; limit: number },
  ): Promise<{ items: JobEvent[]; nextCursor: string | null }>;
  /** A page of a job's log lines, oldest first. `nextCursor` as of `events`. */
  logs(
    principal: Principal,
    query: { jobId: string; after: number; limit: number },
  ): Promise<{ items: LogLine[]; nextCursor: string | null }>;
  /**
   * Takes a decision; `ILLEGAL_TRANSITION` where the job's status does not allow it. A principal that may not read the job gets
   * it without input and output, as from `create`.
   */
  decide(
    principal: ActingPrincipal,
    jobId: string,
    decision: Decision,
    note?: string,
  ): Promise<Job>;

  /** `KEY_REUSED` where `sameRequest` asks for it. */
  createBatch(
    principal: ActingPrincipal,
    request: BatchOptions & SameRequest & { jobs: readonly JobRequest[] },
  ): Promise<Batch>;
  getBatch(principal: Principal, batchId: string): Promise<Batch>;
  listBatches(
    principal: Principal,
    query: OwnersAsked & { cursor?: string | undefined; limit: number },
  ): Promise<{ items: Batch[]; nextCursor: string | null }>;
  /** Cancels every job of the batch that is not settled. Resolves when all of them are. */
  cancelBatch(principal: ActingPrincipal, batchId: string, note?: string): Promise<Batch>;
}

/** Decisions after which a settled job waits again. */
const STARTS_AGAIN: ReadonlySet<Decision> = new Set(["retry", "regenerate"]);

/** Jobs of a batch that are cancelled together: a few commits, and other work of the process comes between. */
const CANCEL_CHUNK = 200;

export function createJobs(
  engine: Engine,
  kinds: KindRegistry,
  now: () => Date = () => new Date(),
  limits?: TenantLimits,
): Jobs {
  const validate = createRequestValidator(kinds);
  const tenants = limitTenants(engine, limits);
  const kindLimits = limitsOfKinds(kinds);

  async function batchFor(batchId: string, may: May): Promise<BatchRecord> {
    const batch = await engine.getBatch(batchId);
    if (batch === undefined || !may(batch)) {
      throw new AppError("NOT_FOUND", `Batch ${batchId} does not exist.`);
    }
    return batch;
  }

  function entry(principal: ActingPrincipal, action: AuditAction, target: string): AuditEntry {
    return { at: now(), action, target, actor: auditActorOf(principal) };
  }

  return {
    kinds: () => kinds.infos,

    async create(principal, request) {
      tenants.assertMayCreate(principal, 1);
      const id = newId();
      const valid = validate.one(request);
      const job = {
        id,
        batchId: null,
        ...ownerOf(principal),
        ...valid,
        ...fieldsOf(request, now()),
        priority: request.priority ?? valid.priority ?? DEFAULT_PRIORITY,
        debounce: request.debounce,
        idempotencyKey: request.idempotencyKey,
        actor: actorOf(principal),
        audit: entry(principal, "job.create", id),
      };
      const stored = await store(principal, job);
      assertSameJob(request, job, stored);
      return answerTo(principal, stored);
    },

    async createScheduled(principal, request) {
      const { scheduleId, title, owner = ownerOf(principal), idempotencyKey, action } = request;
      tenants.assertMayCreate(principal, 1);
      const valid = validate.one(request);
      const stored = await store(principal, {
        id: newId(),
        batchId: null,
        ...owner,
        ...valid,
        ...fieldsOf(request, now()),
        title: title ?? valid.title,
        scheduleId,
        priority: request.priority ?? valid.priority ?? DEFAULT_PRIORITY,
        idempotencyKey,
        actor: { ...actorOf(principal), scheduleId },
        audit: action && entry(principal, action, scheduleId),
      });
      return answerTo(principal, stored);
    },

    async get(principal, jobId, kind) {
      const job = visible(await engine.getJob(jobId), jobId, reader(principal, "job"));
      assertKind(job, kind);
      return job;
    },

    async waiting(principal, jobId) {
      const job = visible(await engine.getSummary(jobId), jobId, reader(principal, "job"));
      const own = kindLimits.get(job.kind);
      const waiting = await engine.waiting(jobId, own);
      if (waiting === undefined) return null;
      const paused = (await engine.pauses.list()).find((pause) => isPausedBy(pause, job));
      return describeWaiting(waiting, own, paused);
    },

    async list(principal, { owner, allOwners, ...query }) {
      return engine.listJobs({ ...query, ...ownersFor(principal, { owner, allOwners }) });
    },

    async events(principal, { jobId, after, limit }) {
      visible(await engine.getSummary(jobId), jobId, reader(principal, "job"));
      const slice = await engine.readEvents(jobId, after, limit);
      if (slice === undefined) throw noJob(jobId);
      const items = eventsOfPage(slice.events);
      const last = items.at(-1);
      const more = last !== undefined && last.seq < slice.newest.seq;
      return { items, nextCursor: more ? String(last.seq) : null };
    },

    async logs(principal, { jobId, after, limit }) {
      const may: May = (record) => mayReadLines(principal, record);
      visible(await engine.getSummary(jobId), jobId, may);
      const slice = await engine.readLines(jobId, after, limit);
      if (slice === undefined) throw noJob(jobId);
      const last = slice.lines.at(-1);
      const more = last !== undefined && last.seq < slice.head;
      return { items: slice.lines, nextCursor: more ? String(last.seq) : null };
    },

    async decide(principal, jobId, decision, note) {
      const may = changer(principal);
      const { tenant } = visible(await engine.getSummary(jobId), jobId, may);
      if (STARTS_AGAIN.has(decision)) await tenants.assertMayWait(tenant);
      const actor = actorOf(principal);
      const audit = entry(principal, `job.${decision}`, jobId);
      await engine.change(jobId, { action: decision, note, actor, audit }, now());
      return answerTo(principal, visible(await engine.getJob(jobId), jobId, may));
    },

    async createBatch(principal, request) {
      tenants.assertMayCreate(principal, request.jobs.length);
      const id = newId();
      const valid = await validate.all(request.jobs);
      const [owner, actor] = [ownerOf(principal), actorOf(principal)];
      const { idempotencyKey, name = null } = request;
      const audit = entry(principal, "batch.create", id);
      const batch = { id, name, ...owner, idempotencyKey, audit };
      const kinds = new Set(valid.map(({ kind }) => kind));
      const stored = await inBatchSpan({ kinds, count: valid.length }, codeOf, (trace) =>
        tenants.create(principal, valid.length, async () => {
          const same = { batchId: id, ...owner, actor, trace, ...fieldsOf(request, now()) };
          const jobs = await jobsOfBatch(valid, same, request.priority);
          return engine.createBatch(batch, jobs, now(), tenants.quota);
        }),
      );
      if (stored.id !== id) await assertSameBatch(engine, request, { name, jobs: valid }, stored);
      return batchOf(stored);
    },

    getBatch: async (principal, batchId) =>
      batchOf(await batchFor(batchId, reader(principal, "batch"))),

    async listBatches(principal, { owner, allOwners, ...query }) {
      const owners = ownersFor(principal, { owner, allOwners });
      const page: BatchPage = await engine.listBatches({ ...query, ...owners });
      return { items: page.items.map(batchOf), nextCursor: page.nextCursor };
    },

    async cancelBatch(principal, batchId, note) {
      const { tenant, owner } = await batchFor(batchId, changer(principal));
      const cancel = { action: "cancel", note, actor: actorOf(principal) } as const;
      /** Stored with the first job that is cancelled: one for the whole batch. */
      let audit: AuditEntry | undefined = entry(principal, "batch.cancel", batchId);
      let cursor: string | undefined;
      do {
        const page = await engine.listJobs({
          tenant,
          owner,
          batchId,
          cursor,
          limit: CANCEL_CHUNK,
        });
        const open = page.items.filter((job) => !isSettled(job.status));
        while (audit !== undefined) {
          const first = open.shift();
          if (first === undefined) break;
          if (await changeUnlessSettled(first.id, { ...cancel, audit })) audit = undefined;
        }
        await Promise.all(open.map((job) => changeUnlessSettled(job.id, cancel)));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      return batchOf(await batchFor(batchId, changer(principal)));
    },
  };

  async function store(principal: ActingPrincipal, job: NewJob & Audited): Promise<Job> {
    return inJobSpan(job.kind, codeOf, (trace) =>
      tenants.create(principal, 1, () => engine.createJob({ ...job, trace }, now(), tenants.quota)),
    );
  }

  /** False: the job settled, or was deleted, after it was read. */
  async function changeUnlessSettled(jobId: string, change: JobChange & Audited): Promise<boolean> {
    try {
      await engine.change(jobId, change, now());
      return true;
    } catch (error) {
      const gone = error instanceof AppError && GONE.has(error.code);
      if (!gone) throw error;
      return false;
    }
  }
}

const GONE: ReadonlySet<ErrorCode> = new Set(["ILLEGAL_TRANSITION", "NOT_FOUND"]);

/** For spans. */
function codeOf(error: unknown): ErrorCode {
  return error instanceof AppError ? error.code : "INTERNAL";
}
