/** The audit lists of tenants, for admins and for commands. */
import type { AuditStore } from "#server/engine/contract.ts";
import type { AuditAction, AuditActor, AuditItem } from "#shared/audit.ts";

/** Entries that a call with a filter reads at most, so that a rare action costs no read of a whole list. */
const MAX_AUDIT_SCAN = 1000;

export interface Audit {
  /**
   * Newest first. With a filter, a page may have fewer entries than `limit`, or none, and still a `nextCursor`. `BAD_REQUEST`
   * for a cursor that is none.
   */
  list(query: AuditListQuery): Promise<{ items: AuditItem[]; nextCursor: string | null }>;
  /**
   * Adds what was just done to the list of a tenant. It is for commands whose own data lie elsewhere; those of jobs and batches
   * store their entries with the change. Never rejects: what was done is done. An entry that cannot be stored is logged whole.
   */
  record(tenant: string, entry: RecordedCommand): Promise<void>;
}

export interface RecordedCommand {
  action: AuditAction;
  /** The id of the thing. */
  target: string;
  actor: AuditActor;
}

export interface AuditListQuery {
  tenant: string;
  user?: string | undefined;
  action?: AuditAction | undefined;
  cursor?: string | undefined;
  limit: number;
}

interface AuditOptions {
  store: AuditStore;
  now: () => Date;
  /** Receives entries that could not be stored. */
  tell: (error: unknown, what: string) => void;
}

export function createAudit({ store, now, tell }: AuditOptions): Audit {
  return {
    async list({ tenant, user, action, cursor, limit }) {
      const isFiltered = user !== undefined || action !== undefined;
      const scanned = isFiltered ? Math.max(limit, MAX_AUDIT_SCAN) : limit;
      const page = await store.list({ tenant, cursor, limit: scanned });
      const found = page.items.filter(
        (entry) =>
          (user === undefined || entry.actor.user === user) &&
          (action === undefined || entry.action === action),
      );
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      const hasMore = found.length > shown.length && last !== undefined;
      return {
        items: shown.map(({ n, ...entry }) => ({ id: String(n), ...entry })),
        nextCursor: hasMore ? String(last.n) : page.nextCursor,
      };
    },
    async record(tenant, command) {
      const entry = { ...command, at: now() };
      try {
        await store.append(tenant, entry);
      } catch (cause) {
        const text = JSON.stringify({ tenant, ...entry });
        tell(
          new Error(`The audit list of ${JSON.stringify(tenant)} lacks ${text}.`, { cause }),
          "An entry of an audit list could not be stored",
        );
      }
    },
  };
}
