import type { NewBatch } from "./contract.ts";
import { type BatchRecord, emptyCounts } from "#shared/batch.ts";

/** A batch as it is at its creation. */
export function createdBatch(batch: NewBatch, jobs: number, at: Date): BatchRecord {
  const { id, name, tenant, owner } = batch;
  const counts = { ...emptyCounts(), PENDING: jobs };
  return {
    id,
    name,
    tenant,
    owner,
    counts,
    version: 1,
    createdAt: at,
    updatedAt: at,
  } satisfies Record<keyof BatchRecord, unknown>;
}
