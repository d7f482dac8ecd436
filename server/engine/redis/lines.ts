/** Log lines of jobs: each job keeps the newest ones of all its attempts. */
import type { ClaimRef, LineSlice } from "#server/engine/contract.ts";
import type { JobStatus } from "#shared/job.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import type { NewLogLine } from "#shared/log-line.ts";
import { type AppendOptions, createAppend } from "./append.ts";
import { decodeLine, encodeNewLine } from "./records.ts";

export interface Lines {
  append(claim: ClaimRef, lines: readonly NewLogLine[]): Promise<void>;
  read(jobId: string, after: number, limit: number): Promise<LineSlice | undefined>;
}

export function createLines(options: AppendOptions): Lines {
  const { run, keys, tenants } = options;
  const append = createAppend("append-lines", options);

  return {
    async append(claim, lines) {
      await append(claim, MAX_LOG_LINES, lines.map(encodeNewLine));
    },
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
