/** Runs the scripts that append what the holder of a claim writes: in the order of the calls, and each of them once. */
import type { ClaimRef } from "#server/engine/contract.ts";
import { claimLost, notFound, notWriting } from "#server/engine/errors.ts";
import type { JobStatus } from "#shared/job.ts";
import { createKeyedMutex } from "./keyed-mutex.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface AppendOptions {
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

type Arguments = readonly (string | number | readonly string[])[];
type Answer = ["ok", length?: number] | ["gone"] | ["lost"] | ["idle", JobStatus];

/**
 * `args`: those of the script after the id of the job, the token of the claim and the idempotency key. Rejects with `NOT_FOUND`,
 * `CLAIM_LOST`, and the error of a job that is not running. Resolves to the number that the script answers.
 */
export type Append = (claim: ClaimRef, ...args: Arguments) => Promise<number | undefined>;

export function createAppend(
  script: "append-draft" | "append-lines",
  { run, keys, tenants, op }: AppendOptions,
): Append {
  const runExclusive = createKeyedMutex();

  async function append(claim: ClaimRef, args: Arguments): Promise<number | undefined> {
    const { jobId, token } = claim;
    const name = op();
    const answer = await tenants.find(jobId, async (tenant) => {
      const answered = await run<Answer>(script, keys.tenant(tenant), jobId, token, name, ...args);
      return answered[0] === "gone" ? undefined : answered;
    });
    switch (answer?.[0]) {
      case undefined:
        throw notFound(jobId);
      case "ok":
        return answer[1];
      case "lost":
        throw claimLost(jobId, claim);
      case "idle":
        throw notWriting(jobId, answer[1]);
    }
  }

  return (claim, ...args) => runExclusive(claim.jobId, () => append(claim, args));
}
