/**
 * Claims. BullMQ returns the next entry; the record decides if its job may be taken. The lease in the record is the truth;
 * BullMQ's lock on the entry only sets when to check again.
 */
import type { Client } from "./client.ts";
import type { Claim, ClaimRef, ClaimRequest } from "#server/engine/contract.ts";
import { readable } from "#server/engine/payload.ts";
import { type Start, startOf } from "#server/engine/start.ts";
import { AppError } from "#shared/errors.ts";
import type { Change } from "./change.ts";
import type { Keys } from "./keys.ts";
import { isRefusal } from "./errors.ts";
import { type Known, knownAs, type Newest } from "./newest.ts";
import type { Place } from "./places.ts";
import type { Found, Queue } from "./queue.ts";
import { decodeSummary, payloadOf } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { Taking } from "./taking.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface Claims {
  claim(request: ClaimRequest): Promise<Claim[]>;
  renew(claims: readonly ClaimRef[], leaseMs: number, now: Date): Promise<ClaimRef[]>;
}

/** How often a job may change between the read and the claim before the claim is given up. */
const MAX_READS = 3;

type Answer =
  | [
      "ok",
      token: number,
      record: string,
      op: string,
      input: string,
      output: string | null,
      trace: string | null,
    ]
  | ["early", due: string]
  | ["stale"];

/**
 * `dropped`: the place does not match the record. `postponed`: the place is in the queue again, and a later take finds it.
 */
type Accepted = Claim | "dropped" | "postponed";

/** A claim that was sent to Redis. */
interface Begun {
  found: Found;
  known: Known;
  start: Start;
  at: Date;
  taking: Taking;
}

interface ClaimsOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  queue: Pick<Queue, "lock" | "take" | "drop" | "postpone" | "prolong">;
  newest: Newest;
  change: Pick<Change, "taking">;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createClaims({
  redis,
  run,
  keys,
  tenants,
  queue,
  newest,
  change,
  op,
}: ClaimsOptions): Claims {
  /**
   * Claims with an unknown result. The next call repeats them; otherwise their jobs could wait for the end of a lease
   * without a runner.
   */
  const unanswered: Begun[] = [];
  /** Claims that succeeded only after their caller got its answer. */
  const late: Claim[] = [];

  async function accept(found: Found, request: ClaimRequest): Promise<Accepted> {
    const { start } = request;
    const begun = start && (await takeAndStart(found, request, start));
    const accepted = begun ?? (await take(found, request));
    if (typeof accepted === "object") tenants.learn(found.jobId, found.tenant);
    return accepted;
  }

  /** Claims and starts a PENDING job in one script. Reads the record if the remembered one is stale. */
  async function takeAndStart(
    found: Found,
    { leaseMs, now }: ClaimRequest,
    start: NonNullable<ClaimRequest["start"]>,
  ): Promise<Claim | undefined> {
    const { jobId, queuedAs, tenant } = found;
    const taking = { op: op(), queuedAs, lock: queue.lock, till: now.getTime() + leaseMs };
    let known = newest.get(jobId);
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      if (known?.job.status === "PENDING") {
        const begun = { found, known, start: startOf(start, known.job), at: now, taking };
        const taken = await ask(begun);
        if (taken === "refused") return undefined;
        if (taken !== "changed") return taken;
      }
      const [record, made] = await redis.hmget(keys.job(tenant, jobId), "s", "op");
      if (record == null) return undefined;
      known = knownAs(record, made);
      if (known.job.status !== "PENDING") return undefined;
    }
    throw new AppError("UNAVAILABLE", `Job ${jobId} changes too fast to be taken. Try again.`);
  }

  async function ask(begun: Begun): Promise<Claim | "changed" | "refused"> {
    const { found, known, start, at, taking } = begun;
    try {
      const taken = await change.taking(known, start.change, at, taking);
      if (typeof taken !== "object") return taken;
      return { jobId: found.jobId, ...taken, fault: taken.fault ?? start.fault };
    } catch (cause) {
      // After a refusal by Redis, nothing is stored.
      if (!isRefusal(cause)) unanswered.push(begun);
      throw cause;
    }
  }

  /** Runs beside the current call. The queue itself finds jobs whose lease expired. */
  function askAgain(request: ClaimRequest): void {
    for (const begun of unanswered.splice(0)) {
      if (begun.taking.till <= request.now.getTime()) continue;
      ask(begun)
        .then((taken) => (typeof taken === "object" ? taken : accept(begun.found, request)))
        .then((accepted) => typeof accepted === "object" && late.push(accepted))
        // A later call repeats the claim, or the queue finds the job when its lock expires.
        .catch(() => undefined);
    }
  }

  /** Returns late claims that still hold, with a new lease. If renewal fails, they wait for the next call. */
  async function takeLate({ max, leaseMs, now }: ClaimRequest): Promise<Claim[]> {
    const claims = late.splice(0, max);
    if (claims.length === 0) return [];
    try {
      const lost = new Set(await renew(claims, leaseMs, now));
      return claims.filter((claim) => !lost.has(claim));
    } catch {
      late.push(...claims);
      return [];
    }
  }

  async function take(found: Found, { leaseMs, now }: ClaimRequest): Promise<Accepted> {
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
    const [, token, record, led, input, output, stored] = answer;
    const trace = stored ?? undefined;
    const job = decodeSummary(record);
    const { payload, fault } = readable(() => payloadOf(input, output));
    newest.set({ job, op: led });
    return { jobId, token, job: { ...job, ...payload }, started: null, trace, fault };
  }

  /** If the cluster node of one tenant is down, it still renews the leases of other tenants. */
  async function renew(
    claims: readonly ClaimRef[],
    leaseMs: number,
    now: Date,
  ): Promise<ClaimRef[]> {
    const till = now.getTime() + leaseMs;
    const answers = await Promise.allSettled(
      claims.map(async ({ jobId, token }) => {
        const tenant = await tenants.of(jobId);
        if (tenant === undefined) return null;
        return run<string | null>("renew", keys.tenant(tenant), jobId, token, till);
      }),
    );
    const held: Place[] = [];
    const lost: ClaimRef[] = [];
    let failure: PromiseRejectedResult | undefined;
    for (const [index, claim] of claims.entries()) {
      const answer = answers[index];
      if (answer?.status === "rejected") failure ??= answer;
      else if (answer?.value == null) lost.push(claim);
      else held.push({ jobId: claim.jobId, queuedAs: answer.value });
    }
    await queue.prolong(held, leaseMs, now);
    if (failure !== undefined && held.length + lost.length === 0) throw failure.reason;
    return lost;
  }

  return {
    async claim(request) {
      const claims = await takeLate(request);
      askAgain(request);
      const postponed = new Set<string>();
      let failure: { cause: unknown } | undefined;
      /**
       * Collects claims in the order in which they were stored. A claim that reads a record first comes later than in the
       * queue.
       */
      const settle = (ways: readonly Promise<Accepted>[]) =>
        Promise.all(
          ways.map(async (way) => {
            try {
              const accepted = await way;
              if (typeof accepted === "object") claims.push(accepted);
              return accepted;
            } catch (cause) {
              failure ??= { cause };
              return "failed";
            }
          }),
        );
      while (claims.length < request.max && failure === undefined) {
        let found: Found[];
        try {
          found = await queue.take(request.max - claims.length, request.leaseMs, request.now);
        } catch (cause) {
          failure = { cause };
          break;
        }
        const answers = await settle(found.map((each) => accept(each, request)));
        const repeated = found.every(({ jobId }) => postponed.has(jobId));
        const back = found.filter((_, index) => answers[index] === "postponed");
        for (const { jobId } of back) postponed.add(jobId);
        // Due jobs may follow postponed places. A take of nothing but repeated places means that the queue has been read once.
        if ((back.length === 0 && !answers.includes("dropped")) || repeated) break;
      }
      // After a failure the caller still receives the jobs that were taken.
      if (failure !== undefined && claims.length === 0) throw failure.cause;
      return claims;
    },
    renew,
  };
}
