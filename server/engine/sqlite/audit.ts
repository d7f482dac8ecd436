/** The audit lists of tenants. Numbers count up in each list, so the number of the oldest entry follows from the newest. */
import type { DatabaseSync } from "node:sqlite";
import type { AuditPage, AuditQuery, StoredAuditEntry } from "#server/engine/audit-store.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { TransferAuditEntry } from "#server/engine/transfer.ts";
import { AuditEntrySchema } from "#shared/audit.schema.ts";
import { type AuditEntry, INSTANCE_LIST } from "#shared/audit.ts";
import { MAX_AUDIT_ENTRIES } from "#shared/limits.ts";
import { LIMIT } from "./limit.ts";

export interface Audit {
  append(tenant: string, entry: AuditEntry): void;
  list(query: AuditQuery): AuditPage;
  prune(before: Date, limit: number): number;
}

interface Row {
  n: number;
  at: number;
  action: string;
  target: string;
  user: string;
  via: string;
  credential: string | null;
}

const COLUMNS = "n, at, action, target, user, via, credential";

export function createAudit(db: DatabaseSync, maxEntries = MAX_AUDIT_ENTRIES): Audit {
  const newest = db.prepare("SELECT max(n) AS n FROM audit WHERE tenant = ?");
  const insert = db.prepare(
    `INSERT INTO audit (tenant, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const dropUpTo = db.prepare("DELETE FROM audit WHERE tenant = ? AND n <= ?");
  const page = db.prepare(
    `SELECT ${COLUMNS} FROM audit WHERE tenant = ? AND n < ? ORDER BY n DESC ${LIMIT}`,
  );
  const nextTenant = db.prepare("SELECT min(tenant) AS tenant FROM audit WHERE tenant > ?");
  const oldest = db.prepare(`SELECT n, at FROM audit WHERE tenant = ? ORDER BY n ${LIMIT}`);

  /** Each costs one look into the index, however long the lists are. */
  function* tenants(): Iterable<string> {
    yield INSTANCE_LIST;
    let tenant: string | null = INSTANCE_LIST;
    for (;;) {
      ({ tenant } = nextTenant.get(tenant) as { tenant: string | null });
      if (tenant === null) return;
      yield tenant;
    }
  }

  return {
    append(tenant, { at, action, target, actor }) {
      const { n: last } = newest.get(tenant) as { n: number | null };
      const n = (last ?? 0) + 1;
      const { user, via, credential } = actor;
      insert.run(tenant, n, at.getTime(), action, target, user, via, credential);
      if (n > maxEntries) dropUpTo.run(tenant, n - maxEntries);
    },
    list({ tenant, cursor, limit }) {
      const found = page.all(tenant, pageBefore(cursor), limit + 1) as unknown as Row[];
      const { rows, nextCursor } = pageOf(found, limit);
      return { items: rows.map(entryOfRow), nextCursor };
    },
    prune(before, limit) {
      let dropped = 0;
      for (const tenant of tenants()) {
        const rows = oldest.all(tenant, limit - dropped) as unknown as { n: number; at: number }[];
        const kept = rows.findIndex(({ at }) => at >= before.getTime());
        const last = rows.at(kept === -1 ? -1 : kept - 1);
        if (kept === 0 || last === undefined) continue;
        dropped += Number(dropUpTo.run(tenant, last.n).changes);
        if (dropped >= limit) break;
      }
      return dropped;
    },
  };
}

function entryOfRow({ n, at, action, target, user, via, credential }: Row): StoredAuditEntry {
  const actor = { user, via, credential };
  return { n, ...AuditEntrySchema.parse({ at: new Date(at), action, target, actor }) };
}

/** In the order of their creation. */
export function* readAudit(db: DatabaseSync): Iterable<TransferAuditEntry> {
  const rows = db
    .prepare(`SELECT tenant, ${COLUMNS} FROM audit ORDER BY tenant, n`)
    .iterate() as unknown as Iterable<Row & { tenant: string }>;
  for (const row of rows) {
    const { n, ...entry } = entryOfRow(row);
    yield { tenant: row.tenant, n, entry };
  }
}
