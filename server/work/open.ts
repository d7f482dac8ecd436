/**
 * Work for workers of other programs: jobs of kinds without `run`. A worker claims jobs, and each call about a job proves with the token of
 * its lease that the worker holds it. The queue, leases, tokens and recovery are those of the runner (`server/jobs/runner.ts`); nothing
 * about a worker is remembered between its calls, so they survive a restart and may come to any gateway.
 */
import type { Claim, Engine } from "#server/engine/contract.ts";
import { isWanted } from "#server/engine/contract.ts";
import { runForeign, warnOfStray } from "#server/jobs/foreign-code.ts";
import { afterError, type Ending, retryPolicyOf } from "#server/jobs/retry.ts";
import { type AnyKind, DEFAULT_START, Failure, Transient } from "#server/kinds/define.ts";
import { limitsOfKinds } from "#server/kinds/policies.ts";
import { remoteKinds } from "#server/kinds/remote.ts";
import type { Clock } from "#shared/clock.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";
import { MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import { hasScope, type Principal } from "#shared/principal.ts";
import type { DraftHeld, Ended, Held, Work, WorkJob } from "#shared/work.ts";
import { type AttemptsOptions, createAttempts } from "./attempts.ts";
import { checkedDetails, checkedOutput } from "./checked.ts";
import { createHeldJobs, type JobHeld } from "./held-jobs.ts";
import { textOfLease } from "./lease-token.ts";
import { openPolls } from "./polls.ts";
import { createTallies } from "./tallies.ts";

export interface WorkAsked {
  kinds: readonly string[];
  max: number;
  /** Absent: that of the server. */
  leaseMs?: number | undefined;
  waitMs: number;
}

/**
 * `NOT_FOUND` for a job that the principal may not work on; `CLAIM_LOST` where the token does not hold it any more; `BAD_REQUEST` for
 * values that do not fit the kind. A call may be repeated: it has the same answer, and does nothing twice but to report progress.
 */
export interface WorkService {
  /**
   * Gives ready jobs of these kinds, those of the principal's tenant or with the scope `operator` of all; or none after a while. Where
   * `left` aborts, they go back. `BAD_REQUEST` for kinds that are not for workers elsewhere, and for a lease that is too long.
   */
  claim(principal: Principal, asked: WorkAsked, left: AbortSignal): Promise<Work>;
  renew(principal: Principal, held: JobHeld): Promise<Held>;
  progress(
    principal: Principal,
    held: JobHeld & { percent: number; message: string; details?: unknown },
  ): Promise<Held>;
  draft(
    principal: Principal,
    held: JobHeld & { text: string; at?: number | undefined },
  ): Promise<DraftHeld>;
  deliver(
    principal: Principal,
    held: JobHeld & { output: unknown; message: string },
  ): Promise<Ended>;
  block(principal: Principal, held: JobHeld & { output: unknown; message: string }): Promise<Ended>;
  /** With `retry`, it is tried again as the policy of the kind says, and not before `retryAfterMs`. */
  fail(
    principal: Principal,
    held: JobHeld & {
      code: string;
      message: string;
      retry: boolean;
      retryAfterMs?: number | undefined;
    },
  ): Promise<Ended>;
  /** Gives it back, unfinished and without using up an attempt. */
  release(principal: Principal, held: JobHeld): Promise<Ended>;
  /** Workers that wait for jobs. */
  waiting(): number;
  /** Those that wait get none, and no more are given. Calls about jobs go on. */
  stop(): Promise<void>;
}

interface WorkOptions extends AttemptsOptions {
  engine: Pick<Engine, "appendDraft" | "change" | "claim" | "getSummary" | "onWork" | "renew">;
  clock: Clock;
  /** The unique id of this process. */
  worker: string;
  leaseMs: number;
  maxLeaseMs: number;
}

export function openWork(options: WorkOptions): WorkService {
  const { engine, kinds, clock, now, maxLeaseMs } = options;
  const elsewhere = remoteKinds(kinds);
  const attempts = createAttempts(options);
  const tallies = createTallies();
  const start = ({ kind }: JobSummary) =>
    runForeign(warnOfStray, () => kinds.get(kind)?.start ?? DEFAULT_START);
  const polls = openPolls({
    engine,
    request: { worker: options.worker, limits: limitsOfKinds(kinds), start },
    clock,
    putBack: attempts.putBack,
    isWanted: (wanted, { job, started, fault }) =>
      started !== null && fault === undefined && isWanted(wanted, job),
  });

  function assertKinds(names: readonly string[]): void {
    for (const [index, name] of names.entries()) {
      if (elsewhere.has(name)) continue;
      const known =
        elsewhere.size === 0 ? "There is none" : `There are: ${[...elsewhere].join(", ")}`;
      const message = `"${name}" is no kind whose jobs workers of other programs run. ${known}.`;
      throw new AppError("BAD_REQUEST", message, { issues: [{ path: ["kinds", index], message }] });
    }
  }

  function assertLease(leaseMs: number): void {
    if (leaseMs <= maxLeaseMs) return;
    const message = `A lease of ${leaseMs} ms is longer than ${maxLeaseMs} ms, which is the limit (WORK_MAX_LEASE_MS). Renew it.`;
    throw new AppError("BAD_REQUEST", message, { issues: [{ path: ["leaseMs"], message }] });
  }

  const limitOf = (name: string) => kinds.get(name)?.timeLimitMs ?? Infinity;

  /** No lease outlasts the time that the kind gives an attempt. Returns the length of this one; `leaseMs`: its length so far. */
  async function shorten(claim: Claim, leaseMs: number): Promise<number> {
    const limit = limitOf(claim.job.kind);
    if (limit >= leaseMs) return leaseMs;
    // Where it cannot be stored, the next call of the worker finds that its time is over.
    await engine.renew([claim], limit, now()).catch(() => undefined);
    return limit;
  }

  const { find, goOn, end } = createHeldJobs({ ...options, elsewhere, attempts, tallies });

  return {
    async claim(principal, { kinds: names, max, leaseMs = options.leaseMs, waitMs }, left) {
      assertKinds(names);
      assertLease(leaseMs);
      const tenant = hasScope(principal, "operator") ? undefined : principal.tenantId;
      const wanted = { only: new Set(names), tenant };
      const lease = Math.min(leaseMs, Math.max(...names.map(limitOf)));
      const claims = await polls.wait({ wanted, max, leaseMs: lease, waitMs, left });
      const leases = await Promise.all(claims.map((claim) => shorten(claim, lease)));
      // Also while the answer is being sent.
      const putAllBack = () => claims.forEach((claim) => clock.hold(attempts.putBack(claim)));
      if (left.aborted) putAllBack();
      else left.addEventListener("abort", putAllBack, { once: true });
      for (const claim of claims) attempts.started(claim);
      const jobs = claims.map((claim, index) => workOf(claim, leaseMs, leases[index] ?? lease));
      return { jobs };
    },
    renew: async (principal, held) => goOn(await find(principal, held)),
    async progress(principal, held) {
      const found = await find(principal, held);
      const { job, kind, claim, lease } = found;
      const { percent: progress, message, details } = held;
      const stored = details === undefined ? undefined : checkedDetails(kind, details);
      return goOn(found, async () => {
        const bytes = stored === undefined ? undefined : Buffer.byteLength(JSON.stringify(stored));
        tallies.addDetails({ jobId: job.id, attempt: lease.attempt }, bytes);
        const text = cutText(message, MAX_MESSAGE_CHARS);
        const change = { action: "progress", progress, message: text, details: stored } as const;
        return engine.change(job.id, change, now(), claim);
      });
    },
    async draft(principal, { text, at, ...held }) {
      const found = await find(principal, held);
      const { job, claim, lease } = found;
      let length = 0;
      const answer = await goOn(found, async () => {
        tallies.addDraft({ jobId: job.id, attempt: lease.attempt }, text);
        length = await engine.appendDraft(claim, text, at);
      });
      return { ...answer, length };
    },
    async deliver(principal, { output, message, ...held }) {
      const found = await find(principal, held);
      return end(found, ["DELIVERED"], () => result("deliver", found.kind, { output, message }));
    },
    async block(principal, { output, message, ...held }) {
      const found = await find(principal, held);
      return end(found, ["BLOCKED"], () => result("block", found.kind, { output, message }));
    },
    async fail(principal, { code, message, retry, retryAfterMs, ...held }) {
      const found = await find(principal, held);
      const error = retry
        ? new Transient(code, message, { retryAfterMs })
        : new Failure(code, message);
      return end(found, ["ABORTED", "PENDING"], () =>
        afterError(error, found.job, retryPolicyOf(found.job, found.kind, options)),
      );
    },
    async release(principal, held) {
      const found = await find(principal, held);
      return end(found, ["PENDING"], () => RELEASED);
    },
    waiting: polls.waiting,
    stop: polls.stop,
  };
}

/** `asked`: the length of lease that each call about the job renews, if there is time for it. */
function workOf({ job, token, trace }: Claim, asked: number, leaseEndsInMs: number): WorkJob {
  const { id: jobId, kind, tenant, title, input, attempt } = job;
  const lease = textOfLease({ token, attempt, leaseMs: asked });
  const work: WorkJob = { jobId, kind, tenant, title, input, attempt, token: lease, leaseEndsInMs };
  const traceparent = trace?.split(" ")[0];
  return traceparent === undefined ? work : { ...work, traceparent };
}

const RELEASED: Ending = {
  action: "release",
  message: "Job given back by its worker",
  delayMs: 0,
  counts: false,
};

function result(
  action: "deliver" | "block",
  kind: AnyKind,
  { output, message }: { output: unknown; message: string },
): Ending {
  const text = cutText(message, MAX_MESSAGE_CHARS);
  return { action, message: text, output: checkedOutput(kind, output) };
}
