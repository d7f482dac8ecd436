/**
 * Everything that an engine stores, in the form in which another engine imports it. Every position in a log, a feed, a
 * draft or a list stays the same, so that existing cursors remain valid.
 */
import type { ApiKey } from "#shared/api-key.ts";
import type { AuditEntry } from "#shared/audit.ts";
import type { DraftPiece } from "./written.ts";
import type { RevokedToken, RevokedUser } from "./revocation-store.ts";
import type { StoredLink } from "./share-link-store.ts";
import type { SigningKey } from "./signing-key-store.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Job } from "#shared/job.ts";
import type { LogLine } from "#shared/log-line.ts";
import type { Pause } from "#shared/pause.ts";
import type { Owner } from "#shared/principal.ts";
import type { Schedule } from "#shared/schedule.ts";

/** Feeds continue from its rev, also when none of its jobs is left. */
export interface TransferTenant {
  tenant: string;
  rev: number;
}

/** An owner that has a job or a batch. */
export interface TransferOwner extends Owner {
  rev: number;
}

export interface TransferBatch {
  /** Its position in lists. */
  n: number;
  batch: BatchRecord;
  idempotencyKey: string | null;
}

export interface TransferJob {
  n: number;
  job: Job;
  idempotencyKey: string | null;
  /** The rev of its newest change. */
  rev: number;
  /** When the next claim may take it, in ms since 1970; `null` when it is settled. No worker holds it. */
  due: number | null;
  /** The newest token of a claim. */
  token: number;
  /** The trace of its attempts. */
  trace: string | null;
  /** When it expires, in ms since 1970; `null`: it does not. */
  expires: number | null;
  /** `null`: calls are not debounced. */
  debounceKey: string | null;
  /** Its `rankOf` (`turns.ts`) since it was queued last. */
  rank: number;
  /** By which the limits of its kind count it. */
  key: string | null;
  events: JobEvent[];
  draft: DraftPiece[];
  lines: LogLine[];
}

export interface TransferApiKey {
  /** Its position in lists. */
  n: number;
  key: ApiKey;
  /** SHA-256 of the key, as hexadecimal digits. */
  hash: string;
}

export interface TransferSchedule {
  /** Its position in lists. */
  n: number;
  schedule: Schedule;
  /** The time for which its firing has begun, in ms since 1970. */
  begunAt: number | null;
}

export type TransferRevocation = RevokedToken | RevokedUser;
export interface TransferAuditEntry {
  tenant: string;
  /** Its position in the list of its tenant. */
  n: number;
  entry: AuditEntry;
}

/** Yields records in the order of their creation. No other process may use the data meanwhile. */
export interface TransferSource {
  tenants(): Iterable<TransferTenant>;
  owners(): Iterable<TransferOwner>;
  batches(): Iterable<TransferBatch>;
  jobs(): Iterable<TransferJob>;
  apiKeys(): Iterable<TransferApiKey>;
  revocations(): Iterable<TransferRevocation>;
  /** Without them the share links would be of no use. */
  signingKeys(): Iterable<SigningKey>;
  shareLinks(): Iterable<StoredLink>;
  schedules(): Iterable<TransferSchedule>;
  pauses(): Iterable<Pause>;
  audit(): Iterable<TransferAuditEntry>;
  close(): void;
}
