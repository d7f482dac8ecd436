/**
 * The only way in which a job changes. This module computes the new record by the shared lifecycle. The script stores it if
 * the stored record still has the version that it was computed from, and otherwise returns the stored record.
 */
import type { Client } from "./client.ts";
import type { Audited, Changed, ClaimRef } from "#server/engine/contract.ts";
import { delayOf, expiryOf, keepsRank, UNREAD, UNREAD_PAYLOAD } from "#server/engine/job-change.ts";
import { toJson } from "#server/engine/payload.ts";
import { claimLost, isMoving, notFound } from "#server/engine/errors.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { type Job, summaryOf } from "#shared/job.ts";
import { applyChange, type JobChange } from "#shared/lifecycle.ts";
import type { EncodeAudit } from "./audit.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { type Known, knownAs, type Newest } from "./newest.ts";
import { encodeEvent, encodeSummary } from "./records.ts";
import { permitName } from "./permits.ts";
import type { News, Ring } from "./ring.ts";
import type { TenantDirectory } from "./tenant-directory.ts";
import type { RunBatched } from "./script-batcher.ts";

export interface Change {
  /** Resolves once the ring was told what concerns it. */
  byId(jobId: string, change: JobChange & Audited, at: Date, claim?: ClaimRef): Promise<Changed>;
}

type Answer =
  | ["ok"]
  | ToldOk
  | ["gone" | "moving" | "moved" | "held"]
  | ["lost"]
  | ["stale", record: string, op: string];

/** A change that concerns the ring (`change.lua`). */
type ToldOk = [
  "ok",
  moment: number,
  is: "ready" | "empty" | "",
  free: string[],
  none: string[],
  alarm: number | "",
  permit: string,
];

/** The most changes of one job in one script. */
const MAX_CHANGES_PER_SCRIPT = 50;

/** A requested change, with the promise of its caller. */
interface Asked {
  change: JobChange & Audited;
  at: Date;
  claim: ClaimRef | undefined;
  resolve(made: Changed | Promise<Changed>): void;
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
  ring: Pick<Ring, "tell">;
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
  ring,
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
    { change, claim }: Pick<Asked, "change" | "claim">,
  ): Promise<Answer> {
    const { audit } = change;
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
      placeAfter(job, change, at),
      job.output === UNREAD ? "" : toJson(job.output, job.id, "output"),
      job.batchId ?? "",
      before.op,
      audit === undefined ? "" : encodeAudit(audit),
      `${expiryOf(job, at) ?? ""}`,
      job.input === UNREAD ? "" : toJson(job.input, job.id, "input"),
      change.action === "debounce" && change.key !== undefined ? `=${change.key}` : "",
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
        computed.map(([asked, next]) => store(next, asked.at, asked)),
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
        const news = newsOf(job, answer);
        const made = { job: record, event };
        asked.resolve(news === undefined ? made : ring.tell([news]).then(() => made));
        return;
      }
      case "gone":
      case "moving":
        newest.forget(job.id);
        asked.reject(answer[0] === "gone" ? notFound(job.id) : isMoving(job.id));
        return;
      case "held":
        asked.reject(new AppError("ILLEGAL_TRANSITION", `Job ${job.id} is about to start.`));
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
  };
}

/** The delay after which the job may be claimed; "none": at once, with the rank that it had; "": no claim may take it. */
function placeAfter(job: Job, change: JobChange, at: Date): string {
  const delay = delayOf(job, change, at);
  if (delay === null) return "";
  return keepsRank(change) ? "none" : `${delay}`;
}

function newsOf({ id, tenant, kind }: Job, answer: ["ok"] | ToldOk): News | undefined {
  if (answer.length === 1) return undefined;
  const [, moment, is, free, none, alarm, permit] = answer;
  return {
    tenant,
    ...(is !== "" && { is, moment, free, none }),
    alarm,
    ...(permit !== "" && { permit: { kind, name: permitName(id, permit) } }),
  };
}
