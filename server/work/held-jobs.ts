/** Jobs that workers elsewhere hold: what their calls need of the claim, and what they learn when it is over. */
import type { Engine } from "#server/engine/contract.ts";
import { afterError, type Ending, retryPolicyOf } from "#server/jobs/retry.ts";
import { timeLeft } from "#server/jobs/time-limit.ts";
import { Failure } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import type { JobStatus, JobSummary } from "#shared/job.ts";
import { hasScope, type Principal } from "#shared/principal.ts";
import type { Ended, Held } from "#shared/work.ts";
import type { Attempts, AttemptsOptions } from "./attempts.ts";
import { type Lease, leaseIn } from "./lease-token.ts";
import type { Tallies } from "./tallies.ts";

/** A job, and the token that came with it. */
export interface JobHeld {
  jobId: string;
  token: string;
}

interface HeldJobsOptions extends AttemptsOptions {
  engine: Pick<Engine, "change" | "getSummary" | "renew">;
  /** The kinds whose jobs workers elsewhere run. */
  elsewhere: ReadonlySet<string>;
  attempts: Pick<Attempts, "end">;
  tallies: Pick<Tallies, "forget">;
  maxLeaseMs: number;
}

const NO_LEASE = { cancelled: true, leaseEndsInMs: 0 } as const;

export function createHeldJobs(options: HeldJobsOptions) {
  const { engine, kinds, elsewhere, attempts, tallies, now, maxLeaseMs } = options;

  /** The job, its kind, and the claim; or the job as it is over for the caller. Rejects with `NOT_FOUND`. */
  async function find(principal: Principal, { jobId, token }: JobHeld) {
    const lease = leaseIn(token);
    const job = await engine.getSummary(jobId);
    const isHis =
      job?.tenant === principal.tenantId || (job !== undefined && hasScope(principal, "operator"));
    const kind = isHis && job !== undefined && elsewhere.has(job.kind) && kinds.get(job.kind);
    if (!kind) throw new AppError("NOT_FOUND", `There is no job ${jobId} for workers.`);
    return { job, kind, lease, claim: { jobId, token: lease.token } };
  }
  type Found = Awaited<ReturnType<typeof find>>;

  /** Runs a call that needs the claim. `undefined`: the job was cancelled. */
  async function whileHeld<T>(found: Found, call: () => Promise<T>): Promise<T | undefined> {
    const { job, kind, lease, claim } = found;
    if (isCancelled(job, lease)) return undefined;
    if (job.attempt !== lease.attempt || job.status !== "PROCESSING") throw lost(job);
    const left = timeLeft(kind, job, now());
    if (left instanceof Failure) {
      const ending = afterError(left, job, retryPolicyOf(job, kind, options));
      await attempts.end(job, ending, claim).catch(ignoreLost);
      throw lost(job, `${left.message}.`);
    }
    try {
      return await call();
    } catch (error) {
      if (!isLoss(error)) throw error;
      const after = await engine.getSummary(job.id);
      if (after !== undefined && isCancelled(after, lease)) return undefined;
      throw error;
    }
  }

  async function renewed({ job, kind, lease, claim }: Found): Promise<number> {
    const left = timeLeft(kind, job, now());
    const most = Math.min(lease.leaseMs, maxLeaseMs, typeof left === "number" ? left : Infinity);
    const leaseMs = Math.max(1, Math.ceil(most));
    const gone = await engine.renew([claim], leaseMs, now());
    if (gone.length > 0) throw lost(job);
    return leaseMs;
  }

  async function goOn(found: Found, call: () => Promise<unknown> = nothing): Promise<Held> {
    const leaseEndsInMs = await whileHeld(found, async () => {
      const [leaseMs] = await Promise.all([renewed(found), call()]);
      return leaseMs;
    });
    return leaseEndsInMs === undefined ? NO_LEASE : { cancelled: false, leaseEndsInMs };
  }

  /** `statuses`: of a job whose attempt ended so. */
  async function end(
    found: Found,
    statuses: readonly JobStatus[],
    endingOf: () => Ending,
  ): Promise<Ended> {
    const { job, lease, claim } = found;
    // The answer to an earlier call was lost.
    const isRepeated = (is: JobSummary) =>
      is.attempt === lease.attempt && statuses.includes(is.status) && !isCancelled(is, lease);
    if (isRepeated(job)) return { status: job.status, cancelled: false };
    try {
      const ended = await whileHeld(found, () => attempts.end(job, endingOf(), claim));
      tallies.forget({ jobId: job.id, attempt: lease.attempt });
      if (ended === undefined) return { status: "ABORTED", cancelled: true };
      return { status: ended.status, cancelled: false };
    } catch (error) {
      const after = isLoss(error) ? await engine.getSummary(job.id) : undefined;
      if (after === undefined || !isRepeated(after)) throw error;
      return { status: after.status, cancelled: false };
    }
  }

  return { find, goOn, end };
}

async function nothing(): Promise<void> {}

/** Since the attempt of this lease: what a person or another worker did later is none of its concern. */
function isCancelled({ status, error, attempt }: JobSummary, lease: Lease): boolean {
  return status === "ABORTED" && error?.code === "CANCELLED" && attempt === lease.attempt;
}

function isLoss(error: unknown): boolean {
  return error instanceof AppError && LOSSES.has(error.code);
}
const LOSSES: ReadonlySet<string> = new Set(["CLAIM_LOST", "NOT_FOUND", "ILLEGAL_TRANSITION"]);

function ignoreLost(error: unknown): void {
  if (!isLoss(error)) throw error;
}

function lost(
  { id }: Pick<JobSummary, "id">,
  why = "Its lease ended, or it was given back.",
): AppError {
  return new AppError(
    "CLAIM_LOST",
    `This token does not hold job ${id} any more. ${why} Stop working on it.`,
  );
}
