/**
 * Everything that an engine keeps, as another one can take it over: every place in a log, a feed, a draft or a page
 * stays what it was, so that cursors of before go on.
 */
import type { DraftPiece } from "./contract.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Job } from "#shared/job.ts";
import type { Owner } from "#shared/principal.ts";

/** Also of those of whom nothing is left, each for itself or the newest of a tenant for all: feeds go on from there. */
export interface TransferOwner extends Owner {
  rev: number;
}

export interface TransferBatch {
  /** Its place in lists. */
  n: number;
  batch: BatchRecord;
  idempotencyKey: string | null;
}

export interface TransferJob {
  n: number;
  job: Job;
  idempotencyKey: string | null;
  /** The owner's rev at its newest change. */
  rev: number;
  /** When the next claim may take it, in ms since 1970; `null` where it is settled. Nobody holds it. */
  due: number | null;
  /** The newest that was given out. */
  token: number;
  events: JobEvent[];
  draft: DraftPiece[];
}

/** In the order in which they were created. Nothing else uses the data meanwhile. */
export interface TransferSource {
  owners(): Iterable<TransferOwner>;
  batches(): Iterable<TransferBatch>;
  jobs(): Iterable<TransferJob>;
  close(): void;
}
