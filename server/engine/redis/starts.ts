/** Starts the jobs that a claim took, each by a change under its claim. */
import type { Claim, ClaimRequest } from "#server/engine/contract.ts";
import { readable } from "#server/engine/payload.ts";
import { startOf } from "#server/engine/start.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import type { Change } from "./change.ts";
import type { Client } from "./client.ts";
import type { Expiry } from "./expiry.ts";
import type { Keys } from "./keys.ts";
import { knownAs, type Newest } from "./newest.ts";
import { decodeEvent, payloadOf } from "./records.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** A job in the answer of `claim.lua`. */
export type TakenJob = [
  id: string,
  token: number,
  record: string,
  op: string,
  input: string | null,
  output: string | null,
  trace: string | null,
  /** Empty where the running jobs of its kind are not counted. */
  permit: string,
  kind: string,
  /** For how many ms it has been expired; or "". */
  lateMs: string,
];

export interface Taken {
  tenant: string;
  job: TakenJob;
  /** When its lease is over, by the clock of this process. */
  till: number;
}

/** Both return `undefined` where the claim does not hold any more, and reject where the result is not known. */
export interface Starts {
  begin(taken: Taken, request: ClaimRequest): Promise<Claim | undefined>;
  /** After a rejection. Starts the job unless it was started. */
  beginAgain(taken: Taken, request: ClaimRequest): Promise<Claim | undefined>;
}

/** A job whose start is refused so was cancelled, or its lease ended, since it was taken. */
const GONE: ReadonlySet<ErrorCode> = new Set(["NOT_FOUND", "CLAIM_LOST", "ILLEGAL_TRANSITION"]);

interface StartsOptions {
  redis: Client;
  keys: Keys;
  tenants: Pick<TenantDirectory, "learn">;
  newest: Newest;
  change: Pick<Change, "byId">;
  expiry: Pick<Expiry, "end">;
}

export function createStarts({
  redis,
  keys,
  tenants,
  newest,
  change,
  expiry,
}: StartsOptions): Starts {
  async function begin(taken: Taken, { start, now }: ClaimRequest): Promise<Claim | undefined> {
    const { tenant, job: of } = taken;
    const [jobId, token, record, led, input, output, trace, , , lateMs] = of;
    const cached = newest.get(jobId);
    const known = cached?.op === led ? cached : knownAs(record, led);
    tenants.learn(jobId, tenant);
    newest.set(known);
    if (lateMs !== "" && known.job.status === "PENDING" && known.job.expiresAt !== null) {
      await expiry.end(known.job, Number(lateMs));
      return undefined;
    }
    const { payload, fault } = readable(() => payloadOf(input, output));
    const claim = { jobId, token, trace: trace ?? undefined };
    if (start === undefined || known.job.status !== "PENDING") {
      return { ...claim, job: { ...known.job, ...payload }, started: null, fault };
    }
    const { change: begun, fault: faulty } = startOf(start, known.job);
    try {
      const { job, event } = await change.byId(jobId, begun, now, claim);
      return { ...claim, job: { ...job, ...payload }, started: event, fault: fault ?? faulty };
    } catch (cause) {
      if (cause instanceof AppError && GONE.has(cause.code)) return undefined;
      throw cause;
    }
  }

  async function beginAgain(taken: Taken, request: ClaimRequest): Promise<Claim | undefined> {
    const { tenant, job: of } = taken;
    const [jobId, token, , , input, output, trace, ...more] = of;
    const key = keys.job(tenant, jobId);
    const [[record, made, held, now], last] = await Promise.all([
      redis.hmget(key, "s", "op", "held", "token"),
      redis.lindex(`${keys.tenant(tenant)}:log:${jobId}`, -1),
    ]);
    if (record == null || last === null || held !== "1" || now !== `${token}`) return undefined;
    const { job, op: led } = knownAs(record, made);
    const again: TakenJob = [jobId, token, record, led, input, output, trace, ...more];
    const claim = await begin({ ...taken, job: again }, request);
    const event = decodeEvent(jobId, last);
    return claim && job.status === "PROCESSING" && event.type === "started"
      ? { ...claim, started: event }
      : claim;
  }

  return { begin, beginAgain };
}
