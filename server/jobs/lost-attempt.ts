/** The end of an attempt whose lease ended: its runner died, or a worker elsewhere did not renew it. */
import { type AnyKind, Failure } from "#server/kinds/define.ts";
import type { JobSummary } from "#shared/job.ts";
import { afterCrash, afterError, type Ending, type RetryPolicy, retryPolicyOf } from "./retry.ts";
import { timeLeft } from "./time-limit.ts";

/** `kind` is `undefined` where the server does not know it. `policy`: that of the server. */
export function afterLease(
  job: JobSummary,
  kind: AnyKind | undefined,
  policy: RetryPolicy,
  now: Date,
): Ending {
  const own = retryPolicyOf(job, kind, policy);
  // No lease of a worker elsewhere is longer than the time that its attempt has.
  const left = kind?.remote === true ? timeLeft(kind, job, now) : undefined;
  return left instanceof Failure ? afterError(left, job, own) : afterCrash(job, own);
}
