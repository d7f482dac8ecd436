/** Sessions: what clients are subscribed to, for when they come back. */
import type { DatabaseSync } from "node:sqlite";
import type { Session, SessionChange, SessionRef, SessionSaved } from "#server/engine/contract.ts";
import { MAX_SAVED_SESSIONS, SESSION_KEPT_MS } from "#server/engine/session-limits.ts";

export interface Sessions {
  has(session: SessionRef): boolean;
  take(session: SessionRef, holder: string): Session | undefined;
  save(session: SessionRef, holder: string, change: SessionChange): SessionSaved;
  end(session: SessionRef, holder: string): void;
}

interface Row {
  n: number;
  holder: string;
}

/** More than one a call, so that they do not pile up. Each may have a thousand entries. */
const EXPIRED_AT_ONCE = 3;

/**
 * The machine's clock may have been set back since the sessions were saved: so none is kept for longer than the limit.
 */
export function makeSessionsReady(db: DatabaseSync, now: number): void {
  const latest = now + SESSION_KEPT_MS;
  db.prepare("UPDATE sessions SET ends = ? WHERE ends > ?").run(latest, latest);
}

export function createSessions(db: DatabaseSync, clock: () => number): Sessions {
  const find = db.prepare(
    "SELECT n, holder FROM sessions WHERE tenant = ? AND owner = ? AND id = ? AND ends > ?",
  );
  const hold = db.prepare("UPDATE sessions SET holder = ?, ends = ? WHERE n = ?");
  const insert = db.prepare(
    `INSERT INTO sessions (tenant, owner, id, holder, ends) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (tenant, owner, id) DO UPDATE SET holder = excluded.holder, ends = excluded.ends RETURNING n`,
  );
  const drop = db.prepare("DELETE FROM sessions WHERE n = ?");
  const dropExpired = db.prepare(
    "DELETE FROM sessions WHERE n IN (SELECT n FROM sessions WHERE ends <= ? ORDER BY ends LIMIT ?)",
  );
  const countOf = db.prepare("SELECT count FROM session_counts WHERE tenant = ?");
  const dropOldestOfTenant = db.prepare(
    "DELETE FROM sessions WHERE n = (SELECT n FROM sessions WHERE tenant = ? ORDER BY ends LIMIT 1)",
  );
  const entries = db.prepare("SELECT name, value FROM session_entries WHERE session_n = ?");
  const put = db.prepare(
    `INSERT INTO session_entries (session_n, name, value) VALUES (?, ?, ?)
     ON CONFLICT (session_n, name) DO UPDATE SET value = excluded.value`,
  );
  const remove = db.prepare("DELETE FROM session_entries WHERE session_n = ? AND name = ?");
  const removeAll = db.prepare("DELETE FROM session_entries WHERE session_n = ?");

  function rowOf({ tenant, owner, id }: SessionRef): Row | undefined {
    return find.get(tenant, owner, id, clock()) as Row | undefined;
  }

  function create({ tenant, owner, id }: SessionRef, holder: string): number {
    const now = clock();
    dropExpired.run(now, EXPIRED_AT_ONCE);
    const { n } = insert.get(tenant, owner, id, holder, now + SESSION_KEPT_MS) as { n: number };
    const { count } = countOf.get(tenant) as { count: number };
    if (count > MAX_SAVED_SESSIONS) dropOldestOfTenant.run(tenant);
    return n;
  }

  return {
    has: (session) => rowOf(session) !== undefined,
    take(session, holder) {
      const row = rowOf(session);
      if (row === undefined) return undefined;
      hold.run(holder, clock() + SESSION_KEPT_MS, row.n);
      const found = entries.all(row.n) as unknown as { name: string; value: number }[];
      return {
        holder: row.holder,
        entries: new Map(found.map(({ name, value }) => [name, value])),
      };
    },
    save(session, holder, { entries: changed, whole }) {
      const row = rowOf(session);
      if (row !== undefined && row.holder !== holder) return "taken";
      if (row === undefined && !whole) return "missing";
      if (row !== undefined) hold.run(holder, clock() + SESSION_KEPT_MS, row.n);
      const n = row?.n ?? create(session, holder);
      if (whole) removeAll.run(n);
      for (const [name, value] of changed) {
        if (value === null) remove.run(n, name);
        else put.run(n, name, value);
      }
      return "saved";
    },
    end(session, holder) {
      const row = rowOf(session);
      if (row?.holder === holder) drop.run(row.n);
    },
  };
}
