/** Log lines of jobs: each job keeps the newest ones of all its attempts. */
import type { ClaimRef, LineSlice } from "#server/engine/contract.ts";
import { claimLost, notFound, notWriting } from "#server/engine/errors.ts";
import type { JobStatus } from "#shared/job.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import type { NewLogLine } from "#shared/log-line.ts";
import { createKeyedMutex } from "./keyed-mutex.ts";
import type { Keys } from "./keys.ts";
import { decodeLine, encodeNewLine } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface Lines {
  append(claim: ClaimRef, lines: readonly NewLogLine[]): Promise<void>;
  read(jobId: string, after: number, limit: number): Promise<LineSlice | undefined>;
}

type Answer = ["ok"] | ["lost"] | ["idle", JobStatus];

interface LinesOptions {
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createLines({ run, keys, tenants, op }: LinesOptions): Lines {
  const runExclusive = createKeyedMutex();

  async function append(claim: ClaimRef, lines: readonly NewLogLine[]): Promise<void> {
    const { jobId, token } = claim;
    const name = op();
    const answer = await tenants.find(jobId, async (tenant) => {
      const answered = await run<Answer | ["gone"]>(
        "append-lines",
        keys.tenant(tenant),
        jobId,
        token,
        name,
        MAX_LOG_LINES,
        lines.map(encodeNewLine),
      );
      return answered[0] === "gone" ? undefined : answered;
    });
    switch (answer?.[0]) {
      case undefined:
        throw notFound(jobId);
      case "ok":
        return;
      case "lost":
        throw claimLost(jobId, claim);
      case "idle":
        throw notWriting(jobId, answer[1]);
    }
  }

  return {
    append: (claim, lines) => runExclusive(claim.jobId, () => append(claim, lines)),
    read: (jobId, after, limit) =>
      tenants.find(jobId, async (tenant) => {
        const answer = await run<[JobStatus, number, number, string[]] | []>(
          "read-lines",
          keys.tenant(tenant),
          jobId,
          after,
          limit,
        );
        if (answer.length === 0) return undefined;
        const [status, head, before, lines] = answer;
        return {
          lines: lines.map((each, index) => decodeLine(before + index + 1, each)),
          head,
          status,
        };
      }),
  };
}
