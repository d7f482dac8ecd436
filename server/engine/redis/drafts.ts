/** Drafts: the text that an attempt writes, in pieces. Redis keeps only the pieces of the newest attempt. */
import type { ClaimRef, DraftSlice } from "#server/engine/contract.ts";
import { notTheEnd } from "#server/engine/errors.ts";
import type { JobStatus } from "#shared/job.ts";
import { type AppendOptions, createAppend } from "./append.ts";
import { decodePiece } from "./records.ts";

/** As the script takes it. */
const ANYWHERE = -1;

export interface Drafts {
  append(claim: ClaimRef, text: string, at?: number): Promise<number>;
  read(jobId: string, after: number): Promise<DraftSlice | undefined>;
}

export function createDrafts(options: AppendOptions): Drafts {
  const { run, keys, tenants } = options;
  const append = createAppend("append-draft", options);

  return {
    async append(claim, text, at = ANYWHERE) {
      // Encodes as JSON, because UTF-8 cannot encode half of a surrogate pair.
      const length = (await append(claim, JSON.stringify(text), text.length, at)) ?? 0;
      if (at !== ANYWHERE && length < at + text.length) {
        throw notTheEnd(claim.jobId, at, length);
      }
      return length;
    },
    read: (jobId, after) =>
      tenants.find(jobId, async (tenant) => {
        const answer = await run<[JobStatus, number, number, string[]] | []>(
          "read-draft",
          keys.tenant(tenant),
          jobId,
          after,
        );
        if (answer.length === 0) return undefined;
        const [status, head, before, pieces] = answer;
        return {
          pieces: pieces.map((each, index) => decodePiece(before + index + 1, each)),
          head,
          status,
        };
      }),
  };
}
