/**
 * The only way in which a job changes. This module computes the new record by the shared lifecycle. The script stores it if
 * the stored record still has the version that it was computed from, and otherwise returns the stored record.
 */
import type { Client } from "./client.ts";
import type { Audited, Changed, ClaimRef } from "#server/engine/contract.ts";
import { delayOf, UNREAD, UNREAD_PAYLOAD } from "#server/engine/job-change.ts";
import { readable, toJson } from "#server/engine/payload.ts";
import { claimLost, isMoving, notFound } from "#server/engine/errors.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { type Job, summaryOf } from "#shared/job.ts";
import { applyChange, type JobChange } from "#shared/lifecycle.ts";
import type { EncodeAudit } from "./audit.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { type Known, knownAs, type Newest } from "./newest.ts";
import type { Place } from "./places.ts";
import { encodeEvent, encodeSummary, payloadOf } from "./records.ts";
import type { Taken, TakenAnswer, Taking } from "./taking.ts";
import type { TenantDirectory } from "./tenant-directory.ts";
import type { RunBatched } from "./script-batcher.ts";

/** The effect of a change on the queue. */
export interface Requeued {
  /** The job waits again, from `due` on. */
  queued: (Place & { tenant: string; due: number }) | undefined;
  /** The claim that ended with the change. */
  ended: (Place & { lock: string }) | undefined;
}

export interface Change {
  byId(
    jobId: string,
    change: JobChange & Audited,
    at: Date,
    claim?: ClaimRef,
  ): Promise<Changed & Requeued>;
  /**
   * Takes a job and changes it in one script. `changed`: the stored record is newer than `found`. `refused`: the job cannot
   * be taken.
   */
  taking(
    found: Known,
    change: JobChange,
    at: Date,
    taking: Taking,
  ): Promise<Taken | "changed" | "refused">;
}

type Answer =
  | ["ok"]
  | TakenAnswer
  | ["ok", queuedAs: string, lock: string]
  | ["gone" | "moving" | "moved"]
  | ["lost"]
  | ["stale", record: string, op: string];

/** The most changes of one job in one script. */
const MAX_CHANGES_PER_SCRIPT = 50;

/** A requested change, with the promise of its caller. */
interface Asked {
  change: JobChange & Audited;
  at: Date;
  claim: ClaimRef | undefined;
  resolve(made: Changed & Requeued): void;
  reject(error: unknown): void;
}

/** A change and the record that it leads to. */
interface Computed {
  /** The op of the call that stores it. */
  op: string;
  before: Known;
  job: Job;
  event: JobEvent;
}

interface ChangeOptions {
  redis: Client;
  runBatched: RunBatched;
  keys: Keys;
  tenants: TenantDirectory;
  newest: Newest;
  encodeAudit: EncodeAudit;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createChange({
  redis,
  runBatched,
  keys,
  tenants,
  newest,
  encodeAudit,
  op,
}: ChangeOptions): Change {
  /** Pending changes of each job, in the order of their calls. */
  const lines = new Map<string, Asked[]>();

  async function read(jobId: string, claim: ClaimRef | undefined): Promise<Known> {
    const found = await tenants.find(jobId, async (tenant) => {
      const key = keys.job(tenant, jobId);
      const [record, ...rest] = await redis.hmget(key, "s", "op", "held", "token");
      return record == null ? undefined : ([record, ...rest] as const);
    });
    if (found === undefined) throw notFound(jobId);
    const [record, made, held, token] = found;
    if (claim !== undefined && (held !== "1" || token !== `${claim.token}`)) {
      throw claimLost(jobId, claim);
    }
    return knownAs(record, made);
  }

  async function store(
    { op: name, before, job, event }: Computed,
    at: Date,
    more: { claim?: ClaimRef | undefined; due: number | null; taking?: Taking } & Audited,
  ): Promise<Answer> {
    const { claim, due, taking, audit } = more;
    const answer = await runBatched<Answer>(keys.tenant(job.tenant), [
      job.id,
      `${before.job.version}`,
      `${job.version}`,
      claim === undefined ? "" : `${claim.token}`,
      name,
      encodeSummary(summaryOf(job)),
      encodeEvent(event),
      `${at.getTime()}`,
      ownerKey(job),
      job.kind,
      before.job.status,
      job.status,
      `${job.attempt}`,
      due === null ? "" : `${due}`,
      job.output === UNREAD ? "" : toJson(job.output, job.id, "output"),
      job.batchId ?? "",
      taking?.queuedAs ?? "",
      taking?.lock ?? "",
      before.op,
      audit === undefined ? "" : encodeAudit(audit),
    ]);
    const hasMoved = answer[0] === "gone" && (await tenants.movedFrom(job.id, job.tenant));
    return hasMoved ? ["moved"] : answer;
  }

  /**
   * Computes as many changes as it can, each from the result of the one before. The remembered record may be stale: if it
   * refuses a change, the newest record may still allow it.
   */
  async function compute(jobId: string, line: Asked[]): Promise<[Asked, Computed][]> {
    const remembered = newest.get(jobId);
    let before = remembered;
    const computed: [Asked, Computed][] = [];
    for (const asked of line.slice(0, MAX_CHANGES_PER_SCRIPT)) {
      const { change, at, claim } = asked;
      try {
        before ??= await read(jobId, claim);
        const next = {
          op: op(),
          before,
          ...applyChange({ ...before.job, ...UNREAD_PAYLOAD }, change, at),
        };
        computed.push([asked, next]);
        before = { job: summaryOf(next.job), op: next.op };
      } catch (error) {
        if (computed.length > 0) return computed;
        if (remembered !== undefined) {
          newest.forget(jobId);
          return compute(jobId, line);
        }
        // An `AppError` means that the newest record refuses this change. Any other error means that the record cannot be read,
        // which fails the following changes too.
        const refused = error instanceof AppError ? 1 : line.length;
        for (const each of line.splice(0, refused)) each.reject(error);
        return [];
      }
    }
    return computed;
  }

  /** Stores the pending changes of a job until none is left. */
  async function work(jobId: string, line: Asked[]): Promise<void> {
    while (line.length > 0) {
      const computed = await compute(jobId, line);
      const answers = await Promise.allSettled(
        computed.map(([{ change, at, claim }, next]) =>
          store(next, at, {
            claim,
            due: waitsUntil(next.job, change, at),
            audit: change.audit,
          }),
        ),
      );
      for (const [index, answer] of answers.entries()) {
        const [asked, next] = computed[index] as [Asked, Computed];
        if (answer.status === "fulfilled" && answer.value[0] === "stale") {
          // All changes computed from this one are stale too: compute them again.
          newest.set(knownAs(answer.value[1], answer.value[2]));
          break;
        }
        if (answer.status === "fulfilled" && answer.value[0] === "moved") {
          newest.forget(jobId);
          break;
        }
        line.shift();
        if (answer.status === "rejected") {
          newest.forget(jobId);
          asked.reject(answer.reason);
        } else settle(asked, next, answer.value);
      }
    }
    lines.delete(jobId);
  }

  function settle(asked: Asked, { op: name, job, event }: Computed, answer: Answer): void {
    switch (answer[0]) {
      case "ok": {
        const record = summaryOf(job);
        newest.set({ job: record, op: name });
        const [, queuedAs, lock] = answer;
        const { id: jobId, tenant, version } = job;
        const due = waitsUntil(job, asked.change, asked.at);
        asked.resolve({
          job: record,
          event,
          queued: due === null ? undefined : { jobId, queuedAs: `${version}`, tenant, due },
          ended: typeof queuedAs === "string" && lock ? { jobId, queuedAs, lock } : undefined,
        });
        return;
      }
      case "gone":
      case "moving":
        newest.forget(job.id);
        asked.reject(answer[0] === "gone" ? notFound(job.id) : isMoving(job.id));
        return;
      case "moved":
      case "lost":
      case "stale":
        // Only a change with a claim gets these answers here.
        asked.reject(claimLost(job.id, asked.claim as ClaimRef));
    }
  }

  return {
    async byId(jobId, change, at, claim) {
      if (claim !== undefined && claim.jobId !== jobId) throw claimLost(jobId, claim);
      return new Promise((resolve, reject) => {
        const asked = { change, at, claim, resolve, reject };
        const line = lines.get(jobId);
        if (line) {
          line.push(asked);
          return;
        }
        const fresh = [asked];
        lines.set(jobId, fresh);
        void work(jobId, fresh);
      });
    },
    async taking(found, change, at, taking) {
      // The `+` distinguishes it from the ops of changes, of which the newest number stands for all earlier ones.
      const name = `+${taking.op}`;
      const applied = applyChange({ ...found.job, ...UNREAD_PAYLOAD }, change, at);
      const next = { op: name, before: found, ...applied };
      const answer = await store(next, at, { due: taking.till, taking });
      if (answer[0] === "stale") return "changed";
      if (answer[0] !== "ok") return "refused";
      const record = summaryOf(next.job);
      newest.set({ job: record, op: name });
      const [, token, input, output, trace] = answer as TakenAnswer;
      const { payload, fault } = readable(() => payloadOf(input, output));
      const job = { ...record, ...payload };
      return { job, started: next.event, token, trace: trace ?? undefined, fault };
    },
  };
}

/** Returns the time from which a claim may take the job, or `null` if it does not wait for a start. */
function waitsUntil(job: Job, change: JobChange, at: Date): number | null {
  const delay = job.status === "PENDING" ? delayOf(job, change) : null;
  return delay === null ? null : at.getTime() + delay;
}
