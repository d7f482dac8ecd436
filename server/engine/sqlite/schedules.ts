/** Schedules, and which of them are due. */
import type { DatabaseSync } from "node:sqlite";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import { toJson } from "#server/engine/payload.ts";
import {
  type ScheduleAssigned,
  type SchedulePage,
  type ScheduleQuery,
  type TakenSchedules,
  type TakeRequest,
  takenFrom,
  tooManySchedules,
} from "#server/engine/schedule-store.ts";
import type { TransferSchedule } from "#server/engine/transfer.ts";
import { MAX_SCHEDULES } from "#shared/limits.ts";
import type { Owner } from "#shared/principal.ts";
import { ScheduleSummarySchema } from "#shared/schedule.schema.ts";
import { type Schedule, type ScheduleSummary, scheduleSummaryOf } from "#shared/schedule.ts";

export interface Schedules {
  create(schedule: Schedule): string;
  replace(schedule: ScheduleSummary, changed?: { input: unknown }): boolean;
  assign(schedule: ScheduleSummary): ScheduleAssigned;
  remove(id: string, version?: number): boolean;
  get(id: string): Schedule | undefined;
  find(owner: Owner, key: string): string | undefined;
  list(query: ScheduleQuery): SchedulePage;
  /** True if `take` would give out any. */
  isDue(request: TakeRequest): boolean;
  /** When `take` may give out the next one. */
  next(): Date | undefined;
  take(request: TakeRequest): TakenSchedules;
  release(id: string, version: number, freeAt: Date): void;
}

interface Row {
  n: number;
  record: string;
}

export function createSchedules(db: DatabaseSync): Schedules {
  const insert = db.prepare(
    `INSERT INTO schedules (id, tenant, owner, key, kind, version, next_at, free_at, record, input)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byKey = db.prepare("SELECT id FROM schedules WHERE tenant = ? AND owner = ? AND key = ?");
  const byId = db.prepare("SELECT record, input FROM schedules WHERE id = ?");
  const countOf = db.prepare("SELECT count(*) AS count FROM schedules WHERE tenant = ?");
  const dropOldestEnded = db.prepare(
    `DELETE FROM schedules WHERE n =
       (SELECT n FROM schedules WHERE tenant = ? AND next_at IS NULL ORDER BY n LIMIT 1)`,
  );
  const update = db.prepare(
    `UPDATE schedules SET kind = ?, version = ?, next_at = ?, free_at = ?, record = ?, input = coalesce(?, input),
       begun_at = CASE WHEN begun_at = ? THEN begun_at END
     WHERE id = ? AND version = ?`,
  );
  const stateOf = db.prepare(
    "SELECT tenant, version, next_at, free_at, begun_at FROM schedules WHERE id = ?",
  );
  const giveTo = db.prepare(
    "UPDATE schedules SET tenant = ?, owner = ?, version = ?, record = ? WHERE id = ?",
  );
  const drop = db.prepare("DELETE FROM schedules WHERE id = ? AND version = coalesce(?, version)");
  const pageOfAll = db.prepare(
    "SELECT n, record FROM schedules WHERE n < ? ORDER BY n DESC LIMIT ?",
  );
  const pageOfTenant = db.prepare(
    "SELECT n, record FROM schedules WHERE tenant = ? AND n < ? ORDER BY n DESC LIMIT ?",
  );
  const pageOfOwner = db.prepare(
    "SELECT n, record FROM schedules WHERE tenant = ? AND owner = ? AND n < ? ORDER BY n DESC LIMIT ?",
  );
  const due = db.prepare(
    "SELECT n, kind, free_at, next_at, begun_at, record FROM schedules WHERE free_at <= ? ORDER BY free_at",
  );
  const hold = db.prepare("UPDATE schedules SET free_at = ?, begun_at = ? WHERE n = ?");
  const earliest = db.prepare("SELECT min(free_at) AS at FROM schedules");
  const giveBack = db.prepare(
    "UPDATE schedules SET free_at = ?, begun_at = NULL WHERE id = ? AND version = ? AND free_at IS NOT NULL",
  );

  /** Those that are left to others are passed over: some that became due in the last seconds. */
  function dueRows({ now, leftMs, kinds }: TakeRequest, max: number): DueRow[] {
    const time = now.getTime();
    const found: DueRow[] = [];
    for (const row of due.iterate(time) as unknown as Iterable<DueRow>) {
      if (kinds.includes(row.kind) || row.free_at <= time - leftMs) found.push(row);
      if (found.length === max) break;
    }
    return found;
  }

  function next(): Date | undefined {
    const { at } = earliest.get() as { at: number | null };
    return at === null ? undefined : new Date(at);
  }

  function find({ tenant, owner }: Owner, key: string): string | undefined {
    return (byKey.get(tenant, owner, key) as { id: string } | undefined)?.id;
  }

  function pageRows({ tenant, owner, cursor, limit }: ScheduleQuery): Row[] {
    const before = pageBefore(cursor);
    const rows =
      tenant === undefined
        ? pageOfAll.all(before, limit + 1)
        : owner === undefined
          ? pageOfTenant.all(tenant, before, limit + 1)
          : pageOfOwner.all(tenant, owner, before, limit + 1);
    return rows as unknown as Row[];
  }

  /** The oldest that has fired for the last time makes room. */
  function hasRoom(tenant: string): boolean {
    const { count } = countOf.get(tenant) as { count: number };
    return count < MAX_SCHEDULES || dropOldestEnded.run(tenant).changes === 1;
  }

  return {
    create(schedule) {
      const { id, tenant, owner, key, kind, version, nextAt, input } = schedule;
      const first = find(schedule, key);
      if (first !== undefined) return first;
      if (!hasRoom(tenant)) throw tooManySchedules(tenant);
      const times = [nextAt?.getTime() ?? null, takenFrom(schedule)] as const;
      const json = [recordOf(schedule), toJson(input, id, "input")] as const;
      insert.run(id, tenant, owner, key, kind, version, ...times, ...json);
      return id;
    },
    replace(schedule, changed) {
      const { id, kind, version, nextAt } = schedule;
      const due = nextAt?.getTime() ?? null;
      const input = changed === undefined ? null : toJson(changed.input, id, "input");
      const fields = [kind, version, due, takenFrom(schedule), recordOf(schedule), input] as const;
      return update.run(...fields, due, id, version - 1).changes === 1;
    },
    assign(schedule) {
      const { id, tenant, owner, key, version } = schedule;
      const is = stateOf.get(id) as State | undefined;
      if (is?.version !== version - 1) return "changed";
      const isBegun = is.begun_at !== null && is.begun_at === is.next_at;
      const isHeld = is.free_at !== takenFrom(schedule);
      if (isBegun || isHeld || schedule.requestedAt !== null) return "busy";
      if (find(schedule, key) !== undefined) return "taken";
      if (is.tenant !== tenant && !hasRoom(tenant)) return "full";
      giveTo.run(tenant, owner, version, recordOf(schedule), id);
      return "moved";
    },
    remove: (id, version) => drop.run(id, version ?? null).changes === 1,
    get(id) {
      const row = byId.get(id) as { record: string; input: string } | undefined;
      return row && { ...summaryOf(row), input: JSON.parse(row.input) as unknown };
    },
    find,
    list(query) {
      const { rows, nextCursor } = pageOf(pageRows(query), query.limit);
      return { items: rows.map(summaryOf), nextCursor };
    },
    isDue: (request) => dueRows(request, 1).length > 0,
    next,
    take(request) {
      const { now, max, holdMs, graceMs } = request;
      const taken = dueRows(request, max).map((row) => {
        const due = row.next_at;
        const isTimely = due !== null && due <= now.getTime() && due >= now.getTime() - graceMs;
        hold.run(now.getTime() + holdMs, isTimely ? due : row.begun_at, row.n);
        return { schedule: summaryOf(row), begun: due !== null && row.begun_at === due };
      });
      return { taken, now, next: next() };
    },
    release: (id, version, freeAt) => void giveBack.run(freeAt.getTime(), id, version),
  };
}

interface State {
  tenant: string;
  version: number;
  next_at: number | null;
  free_at: number | null;
  begun_at: number | null;
}

interface DueRow extends Row {
  kind: string;
  free_at: number;
  next_at: number | null;
  begun_at: number | null;
}

function recordOf(schedule: ScheduleSummary): string {
  return JSON.stringify(scheduleSummaryOf(schedule));
}

function summaryOf({ record }: { record: string }): ScheduleSummary {
  return ScheduleSummarySchema.parse(JSON.parse(record));
}

/** One process has the data: those that a process held which has ended are free again. */
export function freeSchedules(db: DatabaseSync): void {
  db.exec(
    `UPDATE schedules SET
       free_at = coalesce(CAST(round(1000 * unixepoch(record ->> '$.requestedAt', 'subsec')) AS INTEGER), next_at)
     WHERE free_at IS NOT NULL AND free_at IS NOT next_at`,
  );
}

/** In the order of their creation. */
export function* readSchedules(db: DatabaseSync): Iterable<TransferSchedule> {
  const rows = db
    .prepare("SELECT n, record, input, begun_at FROM schedules ORDER BY n")
    .iterate() as unknown as Iterable<Row & { input: string; begun_at: number | null }>;
  for (const { n, record, input, begun_at: begunAt } of rows) {
    const schedule = { ...summaryOf({ record }), input: JSON.parse(input) as unknown };
    yield { n, schedule, begunAt };
  }
}
