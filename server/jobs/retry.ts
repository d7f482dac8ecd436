/** The fate of a job whose attempt failed: a retry, now or later, or the end. Pure. */
import { type AnyKind, Failure, Transient } from "#server/kinds/define.ts";
import { backoffOf, DEFAULT_BACKOFF } from "#server/kinds/policies.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError, fieldOf, isInstance, messageOf } from "#shared/errors.ts";
import type { JobError, JobSummary } from "#shared/job.ts";
import type { Backoff } from "#shared/kind-policies.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { MAX_DELAY_MS, MAX_ERROR_CODE_CHARS, MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import { kindMessageOf } from "#shared/public-message.ts";

/** How an attempt can end. */
export type Ending = Extract<JobChange, { action: "deliver" | "block" | "fail" | "release" }>;

export interface RetryPolicy {
  /** Starts that a job may have before a crash or a transient error is final; `requeued` counts anew. */
  maxAttempts: number;
  /** 0 <= x < 1, for the jitter of the backoff. */
  random: () => number;
  backoff?: Backoff;
}

/** Kept free in a message for when the job runs again. */
const WAIT_CHARS = 50;

/** The policy of one job: what was said at its creation, then by its kind, then by the server. `undefined`: no such kind. */
export function retryPolicyOf(
  job: Pick<JobSummary, "id"> & { readonly maxAttempts?: number | null },
  kind: AnyKind | undefined,
  server: RetryPolicy,
): RetryPolicy {
  return {
    maxAttempts: job.maxAttempts ?? kind?.retry?.maxAttempts ?? server.maxAttempts,
    random: server.random,
    backoff: kind === undefined ? DEFAULT_BACKOFF : backoffOf(kind),
  };
}

export function afterCrash(job: JobSummary, policy: RetryPolicy): Ending {
  if (mayRetry(job, policy)) {
    const message = "Job given back - Its runner stopped unexpectedly";
    return { action: "release", message, delayMs: 0, counts: true };
  }
  const message = `Its runner stopped unexpectedly, and ${policy.maxAttempts} attempts is all a job gets`;
  return { action: "fail", error: { code: "CRASHED", message } };
}

export function afterError(error: unknown, job: JobSummary, policy: RetryPolicy): Ending {
  if (isUnavailable(error)) {
    // It counts as no retry: the job is not to blame. The message does not name the engine, as watchers read it.
    // Neither is its kind asked how long to wait, as many kinds wait for the same.
    const pause = backoffFor(job, { ...policy, backoff: DEFAULT_BACKOFF });
    const message = `Its progress could not be stored - Trying again in ${inSeconds(pause)}`;
    return { action: "release", message, delayMs: pause, counts: false };
  }
  const wait = waitFor(error, job, policy);
  if (wait !== undefined && mayRetry(job, policy)) {
    const reason = cutText(messageOf(error), MAX_MESSAGE_CHARS - WAIT_CHARS);
    const message = `${reason} - Trying again in ${inSeconds(wait)}`;
    return { action: "release", message, delayMs: wait, counts: true };
  }
  return { action: "fail", error: faultOf(error) };
}

/** The record's error for one that is final. Never throws, whatever the kind threw. */
export function faultOf(error: unknown): JobError {
  const code = isInstance(error, Failure) ? fieldOf(error, "code") : undefined;
  return {
    code:
      typeof code === "string" && code !== "" ? cutText(code, MAX_ERROR_CODE_CHARS) : "KIND_FAILED",
    message: cutText(messageFor(error), MAX_MESSAGE_CHARS),
  };
}

/** A message for people; the author of a `Failure` wrote its own for them. */
export function messageFor(error: unknown): string {
  return isInstance(error, Failure) ? messageOf(error) : kindMessageOf(error);
}

/** An error that the kind does not declare is a fault in its code. */
export function isFault(error: unknown): boolean {
  return !isInstance(error, Failure) && !isUnavailable(error);
}

function mayRetry(job: JobSummary, { maxAttempts }: RetryPolicy): boolean {
  return job.retries + 1 < maxAttempts;
}

/** The pause before a retry; `undefined` where a retry would fail too, or would come too late to be useful. */
function waitFor(error: unknown, job: JobSummary, policy: RetryPolicy): number | undefined {
  const backoff = backoffFor(job, policy);
  if (!isInstance(error, Transient)) return undefined;
  const asked = fieldOf(error, "retryAfterMs");
  // Also where the other side answered something that is no number.
  if (!(typeof asked === "number" && asked > backoff)) return backoff;
  // Queues count whole milliseconds: rounded down, the retry would come too early.
  return asked <= MAX_DELAY_MS ? Math.ceil(asked) : undefined;
}

/** Exponential, with jitter, so that jobs which failed together do not return together. */
function backoffFor(
  { retries }: JobSummary,
  { random, backoff: { firstMs, factor, maxMs, jitter } = DEFAULT_BACKOFF }: RetryPolicy,
): number {
  // Without the lower bound, 0 times infinity would be no number.
  const most = firstMs === 0 ? 0 : Math.min(firstMs * factor ** retries, maxMs);
  return Math.round(most * (1 - jitter + jitter * random()));
}

function inSeconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}

/** The disk is full, or Redis is away, for a moment: not the kind's fault. */
export function isUnavailable(error: unknown): error is AppError {
  return isInstance(error, AppError) && fieldOf(error, "code") === "UNAVAILABLE";
}
