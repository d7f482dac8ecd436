/**
 * The part of an engine that stores the audit lists of tenants. Entries of jobs and batches come with the change that they are
 * about (`Audited`). Its methods reject as those of the engine do (`contract.ts`).
 */
import type { AuditEntry } from "#shared/audit.ts";

export interface AuditStore {
  /** Of more than `MAX_AUDIT_ENTRIES` of the tenant, the oldest are deleted, however an entry came. */
  append(tenant: string, entry: AuditEntry): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<AuditPage>;
  /** Deletes entries from before `before`, of each tenant the oldest first: at most `limit`. Returns how many. */
  prune(before: Date, limit: number): Promise<number>;
}

export interface AuditQuery {
  tenant: string;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit: number;
}

/** `n`: its position in the list of its tenant. It grows, and is the `nextCursor` of a page that ends with the entry. */
export type StoredAuditEntry = AuditEntry & { n: number };

export interface AuditPage {
  items: StoredAuditEntry[];
  nextCursor: string | null;
}
