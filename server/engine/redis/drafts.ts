/** Drafts: the text that an attempt writes, in pieces. Redis keeps only the pieces of the newest attempt. */
import type { ClaimRef, DraftSlice } from "#server/engine/contract.ts";
import { claimLost, notFound, notWriting } from "#server/engine/errors.ts";
import type { JobStatus } from "#shared/job.ts";
import type { Keys } from "./keys.ts";
import { createKeyedMutex } from "./keyed-mutex.ts";
import { decodePiece } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface Drafts {
  append(claim: ClaimRef, text: string): Promise<void>;
  read(jobId: string, after: number): Promise<DraftSlice | undefined>;
}

type Answer = ["ok"] | ["lost"] | ["idle", JobStatus];

interface DraftsOptions {
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createDrafts({ run, keys, tenants, op }: DraftsOptions): Drafts {
  const runExclusive = createKeyedMutex();

  async function append(claim: ClaimRef, text: string): Promise<void> {
    const { jobId, token } = claim;
    // Encodes as JSON, because UTF-8 cannot encode half of a surrogate pair.
    const json = JSON.stringify(text);
    const name = op();
    const answer = await tenants.find(jobId, async (tenant) => {
      const answered = await run<Answer | ["gone"]>(
        "append-draft",
        keys.tenant(tenant),
        jobId,
        token,
        name,
        json,
        text.length,
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
    append: (claim, text) => runExclusive(claim.jobId, () => append(claim, text)),
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
