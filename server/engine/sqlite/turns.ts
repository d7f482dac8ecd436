/**
 * The turns of the tenants that have ready jobs, as `claim` of `claiming.ts` defines them. They stand in temporary tables:
 * those change with the transaction, and are rolled back with it, and are not written to the disk. A start fills them from
 * the jobs.
 *
 * The number of a tenant's ready jobs is beside its turn, so that the last one which goes needs no search for others.
 */
import type { DatabaseSync } from "node:sqlite";
import { stepOf, type TenantWeights } from "#server/engine/turns.ts";
import { LIMIT } from "./limit.ts";

export interface Turns {
  /** The tenant has so many more ready jobs. */
  add(tenant: TenantRef, jobs: number): void;
  /** The tenant has so many fewer. */
  remove(tenantN: number, jobs: number): void;
  /**
   * Takes the turns of the next `max` jobs. Returns the number of the tenant of each, in order; the jobs are ready no more.
   */
  take(max: number): number[];
  /** The tenant has no turns from now on. */
  pause(tenant: string): void;
  /** The tenant enters as one that just got its jobs, so that the time of the pause earned no turns. */
  resume(tenant: string): void;
  isEmpty(): boolean;
}

export interface TenantRef {
  n: number;
  tenant: string;
}

export const TURN_TABLES = `
  CREATE TEMP TABLE turns (
    tenant_n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    turn INTEGER NOT NULL,
    -- How many ready jobs it has: one at least.
    ready INTEGER NOT NULL,
    -- 1: its jobs are paused, so it has no turns.
    paused INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX temp.turns_in_order ON turns (paused, turn, tenant);
  -- One row: the largest turn from which a job was given.
  CREATE TEMP TABLE newest_turn (n INTEGER PRIMARY KEY, turn INTEGER NOT NULL) STRICT;
  INSERT INTO newest_turn VALUES (1, 0);
`;

interface Turn {
  tenant_n: number;
  tenant: string;
  turn: number;
  ready: number;
}

/** Makes the tables. There are no turns in them. */
export function createTurns(db: DatabaseSync, weights: TenantWeights): Turns {
  db.exec(TURN_TABLES);
  const join = db.prepare(
    `INSERT INTO turns (tenant_n, tenant, turn, ready, paused)
     VALUES (?1, ?2, (SELECT turn FROM newest_turn WHERE n = 1) + ?3, ?4,
       EXISTS (SELECT 1 FROM pauses WHERE tenant = ?2 AND kind = ''))
     ON CONFLICT (tenant_n) DO UPDATE SET ready = ready + excluded.ready`,
  );
  const reduce = db.prepare(
    "UPDATE turns SET ready = ready - ? WHERE tenant_n = ? RETURNING ready",
  );
  const leave = db.prepare("DELETE FROM turns WHERE tenant_n = ?");
  const next = db.prepare(
    `SELECT tenant_n, tenant, turn, ready FROM turns WHERE paused = 0 AND turn > 0
     ORDER BY turn, tenant ${LIMIT}`,
  );
  const advance = db.prepare("UPDATE turns SET turn = ?, ready = ? WHERE tenant_n = ?");
  const setNewest = db.prepare("UPDATE newest_turn SET turn = max(turn, ?) WHERE n = 1");
  const ofTenant = "WHERE tenant_n = (SELECT n FROM tenants WHERE tenant = ?)";
  const pause = db.prepare(`UPDATE turns SET paused = 1 ${ofTenant}`);
  const resume = db.prepare(
    `UPDATE turns SET paused = 0, turn = (SELECT turn FROM newest_turn WHERE n = 1) + ? ${ofTenant}`,
  );
  const any = db.prepare("SELECT 1 FROM turns WHERE paused = 0 AND turn > 0 LIMIT 1");

  return {
    add({ n, tenant }, jobs) {
      join.run(n, tenant, stepOf(weights, tenant), jobs);
    },
    remove(tenantN, jobs) {
      const { ready } = reduce.get(jobs, tenantN) as { ready: number };
      if (ready === 0) leave.run(tenantN);
    },
    take(max) {
      // No more can be reached: by the time that one of them comes again before another tenant, `max` jobs were given.
      const waiting = next.all(max) as unknown as Turn[];
      const taken = new Set<Turn>();
      const given: number[] = [];
      let newest = 0;
      while (given.length < max) {
        const first = waiting.shift();
        if (first === undefined) break;
        given.push(first.tenant_n);
        taken.add(first);
        newest = first.turn;
        first.turn += stepOf(weights, first.tenant);
        first.ready -= 1;
        if (first.ready > 0) insert(waiting, first);
      }
      for (const { tenant_n: tenantN, turn, ready } of taken) {
        if (ready > 0) advance.run(turn, ready, tenantN);
        else leave.run(tenantN);
      }
      setNewest.run(newest);
      return given;
    },
    pause: (tenant) => void pause.run(tenant),
    resume: (tenant) => void resume.run(stepOf(weights, tenant), tenant),
    isEmpty: () => any.get() === undefined,
  };
}

function insert(waiting: Turn[], turn: Turn): void {
  const before = waiting.findLastIndex((other) => compare(other, turn) < 0);
  waiting.splice(before + 1, 0, turn);
}

/** As the index does. */
function compare(one: Turn, other: Turn): number {
  return (
    one.turn - other.turn || Buffer.compare(Buffer.from(one.tenant), Buffer.from(other.tenant))
  );
}
