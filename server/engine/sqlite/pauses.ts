/** The pauses. The turns in memory know them too (`turns.ts`), and go back with the transaction. */
import type { DatabaseSync } from "node:sqlite";
import { byScope, tooManyPausedKinds, tooManyPauses } from "#server/engine/pause-store.ts";
import { MAX_PAUSED_KINDS, MAX_PAUSES } from "#shared/limits.ts";
import { PauseSchema } from "#shared/pause.schema.ts";
import { isOfAll, type Pause, type PauseScope } from "#shared/pause.ts";
import type { Outbox } from "./outbox.ts";
import type { Turns } from "./turns.ts";

/** True for a job that no pause concerns. Looks up the four scopes that could. */
export const NOT_PAUSED = `NOT EXISTS (
    SELECT 1 FROM tenants CROSS JOIN pauses
    ON pauses.tenant IN ('', tenants.tenant) AND pauses.kind IN ('', jobs.kind)
    WHERE tenants.n = jobs.tenant_n)`;

/** An empty tenant or kind: all of them. Neither can be empty otherwise. */
export const PAUSE_TABLE = `
  CREATE TABLE pauses (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL,
    user TEXT NOT NULL,
    via TEXT NOT NULL,
    PRIMARY KEY (tenant, kind)
  ) STRICT, WITHOUT ROWID;
  `;

export interface Pauses {
  set(pause: Pause): Pause | undefined;
  remove(scope: PauseScope): Pause | undefined;
  list(): Pause[];
  /** True if all jobs of the instance are paused. */
  isAll(): boolean;
}

interface Row {
  tenant: string;
  kind: string;
  at: number;
  note: string;
  user: string;
  via: string;
}

const COLUMNS = "tenant, kind, at, note, user, via";

interface PausesOptions {
  db: DatabaseSync;
  turns: Pick<Turns, "pause" | "resume">;
  outbox: Pick<Outbox, "resumed">;
}

export function createPauses({ db, turns, outbox }: PausesOptions): Pauses {
  const find = db.prepare(`SELECT ${COLUMNS} FROM pauses WHERE tenant = ? AND kind = ?`);
  const count = db.prepare("SELECT count(*) AS n FROM pauses");
  const countKinds = db.prepare("SELECT count(*) AS n FROM pauses WHERE tenant = ? AND kind > ''");
  const insert = db.prepare(`INSERT INTO pauses (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  const drop = db.prepare("DELETE FROM pauses WHERE tenant = ? AND kind = ?");
  const ofAll = db.prepare("SELECT 1 FROM pauses WHERE tenant = '' AND kind = ''");

  function found({ tenant = "", kind = "" }: PauseScope): Pause | undefined {
    const row = find.get(tenant, kind) as Row | undefined;
    return row && pauseOfRow(row);
  }

  return {
    set(pause) {
      const before = found(pause);
      if (before !== undefined) return before;
      if ((count.get() as { n: number }).n >= MAX_PAUSES) throw tooManyPauses();
      const { tenant = "", kind = "", at, note, by } = pause;
      const kinds = kind === "" ? 0 : (countKinds.get(tenant) as { n: number }).n;
      if (kinds >= MAX_PAUSED_KINDS) throw tooManyPausedKinds();
      insert.run(tenant, kind, at.getTime(), note, by.user, by.via);
      if (!isOfAll(pause)) turns.pause(pause);
      return undefined;
    },
    remove(scope) {
      const before = found(scope);
      if (before === undefined) return undefined;
      const { tenant = "", kind = "" } = scope;
      drop.run(tenant, kind);
      if (!isOfAll(scope)) turns.resume(scope);
      outbox.resumed();
      return before;
    },
    list: () => [...readPauses(db)].toSorted(byScope),
    isAll: () => ofAll.get() !== undefined,
  };
}

function pauseOfRow({ tenant, kind, at, note, user, via }: Row): Pause {
  return PauseSchema.parse({
    ...(tenant !== "" && { tenant }),
    ...(kind !== "" && { kind }),
    at: new Date(at),
    note,
    by: { user, via },
  });
}

export function* readPauses(db: DatabaseSync): Iterable<Pause> {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM pauses`).iterate();
  for (const row of rows as unknown as Iterable<Row>) yield pauseOfRow(row);
}
