/**
 * Claims: BullMQ says what is next, the record says whether it may be taken, and for how long it then is. Its lease is
 * the truth; BullMQ's lock on the entry only tells when to look again.
 */
import type { Client } from "./client.ts";
import type { Claim, ClaimRef, ClaimRequest } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { summaryOf } from "#shared/job.ts";
import type { Change, Newest } from "./change.ts";
import type { Keys } from "./keys.ts";
import type { Found, Queue } from "./queue.ts";
import { jobOf } from "./reads.ts";
import { decodeSummary } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { Tenants } from "./tenants.ts";

export interface Claims {
  claim(request: ClaimRequest): Promise<Claim[]>;
  renew(claims: readonly ClaimRef[], leaseMs: number, now: Date): Promise<ClaimRef[]>;
}

/** How often a job may be changed between it is read and taken. */
const MAX_READS = 3;

type Answer =
  | ["ok", token: number, record: string, input: string, output: string | null]
  | ["early", due: string]
  | ["stale"];

export function createClaims(
  redis: Client,
  run: RunScript,
  keys: Keys,
  tenants: Tenants,
  queue: Queue,
  newest: Newest,
  change: Pick<Change, "taking">,
  /** Names a call. */
  op: () => string,
): Claims {
  /** `dropped`: it fitted no record. `postponed`: it is in the queue again, and may be found again. */
  async function accept(
    found: Found,
    request: ClaimRequest,
  ): Promise<Claim | "dropped" | "postponed"> {
    if (request.start !== undefined) {
      const begun = await takeAndStart(found, request, request.start);
      if (begun !== undefined) return begun;
    }
    return take(found, request);
  }

  /** In one step, where the job waits to be started. What is remembered of it may be old; then it is read. */
  async function takeAndStart(
    { jobId, queuedAs, tenant }: Found,
    { leaseMs, now }: ClaimRequest,
    start: NonNullable<ClaimRequest["start"]>,
  ): Promise<Claim | undefined> {
    const taking = { queuedAs, lock: queue.lock, till: now.getTime() + leaseMs };
    let record = newest.get(jobId);
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      if (record?.status === "PENDING") {
        const action = { action: "start", ...start(record) } as const;
        const begun = await change.taking(record, action, now, taking);
        if (begun === "refused") return undefined;
        if (begun !== "changed") return { jobId, ...begun };
      }
      const stored = await redis.hget(keys.job(tenant, jobId), "s");
      if (stored === null) return undefined;
      record = decodeSummary(stored);
      if (record.status !== "PENDING") return undefined;
    }
    throw new AppError("UNAVAILABLE", `Job ${jobId} changes too fast to be taken. Try again.`);
  }

  async function take(
    found: Found,
    { leaseMs, now }: ClaimRequest,
  ): Promise<Claim | "dropped" | "postponed"> {
    const { jobId, queuedAs, tenant } = found;
    const time = now.getTime();
    const answer = await run<Answer>(
      "claim",
      keys.tenant(tenant),
      jobId,
      queuedAs,
      time,
      time + leaseMs,
      queue.lock,
      op(),
    );
    if (answer[0] === "stale") {
      queue.drop(found, queue.lock);
      return "dropped";
    }
    if (answer[0] === "early") {
      await queue.postpone(found, Number(answer[1]));
      return "postponed";
    }
    const [, token, record, input, output] = answer;
    const job = jobOf(record, input, output);
    newest.set(summaryOf(job));
    return { jobId, token, job, started: null };
  }

  return {
    async claim(request) {
      const claims: Claim[] = [];
      const postponed = new Set<string>();
      for (;;) {
        let found: Found[];
        try {
          found = await queue.take(request.max - claims.length, request.leaseMs, request.now);
        } catch (cause) {
          // What was taken belongs to whoever asked, also where no more can be had.
          if (claims.length > 0) return claims;
          throw cause;
        }
        let failure: { cause: unknown } | undefined;
        const accepted = found.map(async (each) => {
          try {
            const outcome = await accept(each, request);
            // In the order in which they began, which is not that of the queue where some had to be read first.
            if (typeof outcome === "object") claims.push(outcome);
            return outcome;
          } catch (cause) {
            failure ??= { cause };
            return "failed";
          }
        });
        const outcomes = await Promise.all(accepted);
        if (failure !== undefined && claims.length === 0) throw failure.cause;
        const back = found.filter((_, index) => outcomes[index] === "postponed");
        const more = back.length > 0 || outcomes.includes("dropped");
        const around = back.some(({ jobId }) => postponed.has(jobId));
        for (const { jobId } of back) postponed.add(jobId);
        // There may be more behind what is not to be had; but what comes a second time is all that is left.
        if (failure || !more || around || claims.length >= request.max) return claims;
      }
    },
    async renew(claims, leaseMs, now) {
      const till = now.getTime() + leaseMs;
      const answers = await Promise.all(
        claims.map(async ({ jobId, token }) => {
          const tenant = await tenants.of(jobId);
          if (tenant === undefined) return null;
          return run<string | null>("renew", keys.tenant(tenant), jobId, token, till);
        }),
      );
      const held = claims.flatMap(({ jobId }, index) => {
        const queuedAs = answers[index];
        return queuedAs == null ? [] : [{ jobId, queuedAs }];
      });
      await queue.prolong(held, leaseMs, now);
      return claims.filter((_, index) => answers[index] === null);
    },
  };
}
