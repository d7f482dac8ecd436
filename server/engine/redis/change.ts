/**
 * The one way a job changes. What it comes to is computed here, by the same table as everywhere; the script stores it
 * if the record is still of the version that it was computed from, and otherwise says what the record is now.
 */
import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import type { Changed, ClaimRef } from "#server/engine/contract.ts";
import { toJson } from "#server/engine/common/payload.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled, type Job, type JobSummary, summaryOf } from "#shared/job.ts";
import { applyChange, type JobChange } from "#shared/lifecycle.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { createLanes } from "./lanes.ts";
import type { Place } from "./queue.ts";
import { decodeSummary, encodeEvent, encodeSummary } from "./records.ts";
import type { Tenants } from "./tenants.ts";
import type { RunTogether } from "./together.ts";

/** The newest record of a job that is known here. It may be old: whatever is made of it is compared with the real one. */
export interface Newest {
  get(jobId: string): JobSummary | undefined;
  set(job: JobSummary): void;
  forget(jobId: string): void;
}

const REMEMBERED = 10_000;

export function createNewest(): Newest {
  const records = new LRUCache<string, JobSummary>({ max: REMEMBERED });
  return {
    get: (jobId) => records.get(jobId),
    set: (job) => void records.set(job.id, job),
    forget: (jobId) => void records.delete(jobId),
  };
}

/** What a change did to the queue. */
export interface Requeued {
  /** It waits anew, from `due` on. */
  queued: (Place & { tenant: string; due: number }) | undefined;
  /** The claim that ended with it. */
  ended: (Place & { lock: string }) | undefined;
}

/** A claim that begins with a change: the job's place in the queue, locked, and when the lease ends. */
export interface Taking {
  queuedAs: string;
  lock: string;
  till: number;
}

export interface Change {
  (jobId: string, change: JobChange, at: Date, claim?: ClaimRef): Promise<Changed & Requeued>;
  /** Takes a job and changes it in one step. `undefined`: it is not as it was found. */
  taking(
    found: JobSummary,
    change: JobChange,
    at: Date,
    taking: Taking,
  ): Promise<(Changed & { token: number }) | undefined>;
}

type Answer =
  | ["ok"]
  | ["ok", token: number]
  | ["ok", queuedAs: string, lock: string]
  | ["gone"]
  | ["lost"]
  | ["stale", record: string];

const UNREAD = Symbol("unread");

export function createChange(
  redis: Redis,
  together: RunTogether,
  keys: Keys,
  tenants: Tenants,
  newest: Newest,
  /** Names a call. */
  op: () => string,
): Change {
  const inLane = createLanes();

  async function read(jobId: string, claim: ClaimRef | undefined): Promise<JobSummary> {
    const tenant = await tenants.of(jobId);
    const [record, held, token] =
      tenant === undefined ? [] : await redis.hmget(keys.job(tenant, jobId), "s", "held", "token");
    if (record == null) throw notFound(jobId);
    if (claim !== undefined && (held !== "1" || token !== `${claim.token}`)) {
      throw claimLost(jobId, claim);
    }
    return decodeSummary(record);
  }

  /** From a record that may be old: what is refused then may be right with the newest. */
  async function next(
    jobId: string,
    change: JobChange,
    at: Date,
    claim: ClaimRef | undefined,
  ): Promise<{ before: JobSummary; job: Job; event: JobEvent }> {
    const remembered = newest.get(jobId);
    if (remembered !== undefined) {
      try {
        return { before: remembered, ...applyChange(withoutPayload(remembered), change, at) };
      } catch {
        newest.forget(jobId);
      }
    }
    const before = await read(jobId, claim);
    return { before, ...applyChange(withoutPayload(before), change, at) };
  }

  function store(
    before: JobSummary,
    { job, event }: { job: Job; event: JobEvent },
    at: Date,
    name: string,
    more: { claim?: ClaimRef | undefined; due?: number | undefined; taking?: Taking },
  ): Promise<Answer> {
    const { claim, due, taking } = more;
    return together<Answer>(keys.tenant(job.tenant), [
      job.id,
      `${before.version}`,
      `${job.version}`,
      claim === undefined ? "" : `${claim.token}`,
      name,
      encodeSummary(summaryOf(job)),
      encodeEvent(event),
      `${at.getTime()}`,
      ownerKey(job),
      job.kind,
      before.status,
      job.status,
      `${job.attempt}`,
      due === undefined ? "" : `${due}`,
      job.output === UNREAD ? "" : toJson(job.output, job.id, "output"),
      job.batchId ?? "",
      taking?.queuedAs ?? "",
      taking?.lock ?? "",
    ]);
  }

  async function make(
    jobId: string,
    change: JobChange,
    at: Date,
    claim?: ClaimRef,
  ): Promise<Changed & Requeued> {
    const name = op();
    if (claim !== undefined && claim.jobId !== jobId) throw claimLost(jobId, claim);
    for (;;) {
      const { before, job, event } = await next(jobId, change, at, claim);
      const due = dueOf(job, change, at);
      const answer = await store(before, { job, event }, at, name, { claim, due });
      switch (answer[0]) {
        case "ok": {
          const record = summaryOf(job);
          newest.set(record);
          const [, queuedAs, lock] = answer;
          const { tenant, version } = job;
          return {
            job: record,
            event,
            queued: due === undefined ? undefined : { jobId, queuedAs: `${version}`, tenant, due },
            ended: typeof queuedAs === "string" && lock ? { jobId, queuedAs, lock } : undefined,
          };
        }
        case "gone":
          newest.forget(jobId);
          throw notFound(jobId);
        case "lost":
          throw claimLost(jobId, claim);
        case "stale":
          newest.set(decodeSummary(answer[1]));
      }
    }
  }

  async function take(
    found: JobSummary,
    change: JobChange,
    at: Date,
    taking: Taking,
  ): Promise<(Changed & { token: number }) | undefined> {
    const { job, event } = applyChange(withoutPayload(found), change, at);
    const due = taking.till;
    const answer = await store(found, { job, event }, at, op(), { due, taking });
    if (answer[0] !== "ok") return undefined;
    const record = summaryOf(job);
    newest.set(record);
    return { job: record, event, token: Number(answer[1]) };
  }

  return Object.assign(
    (jobId: string, change: JobChange, at: Date, claim?: ClaimRef) =>
      inLane(jobId, () => make(jobId, change, at, claim)),
    {
      taking: (found: JobSummary, change: JobChange, at: Date, taking: Taking) =>
        inLane(found.id, () => take(found, change, at, taking)),
    },
  );
}

function withoutPayload(record: JobSummary): Job {
  return { ...record, input: UNREAD, output: UNREAD };
}

/** When the next claim may take a job that waits. */
function dueOf(job: Job, change: JobChange, at: Date): number | undefined {
  if (isSettled(job.status) || job.status === "PROCESSING") return undefined;
  return (change.action === "release" ? change.runAt : at).getTime();
}

export function notFound(jobId: string): AppError {
  return new AppError("NOT_FOUND", `There is no job ${jobId}.`);
}

export function claimLost(jobId: string, claim: ClaimRef | undefined): AppError {
  return new AppError(
    "CLAIM_LOST",
    `Claim ${claim?.token} does not hold job ${jobId} any more: it ended, or another runner got the job. Stop working on it.`,
  );
}
