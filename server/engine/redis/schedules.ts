/**
 * Schedules. Those of all tenants lie in one slot, because one call takes what is due of any of them. What is due is decided by
 * the clock of Redis: those of processes differ.
 */
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import { toJson } from "#server/engine/payload.ts";
import {
  type ScheduleAssigned,
  type ScheduleStore,
  takenFrom,
  tooManySchedules,
} from "#server/engine/schedule-store.ts";
import type { TransferSchedule } from "#server/engine/transfer.ts";
import { MAX_SCHEDULES } from "#shared/limits.ts";
import type { Owner } from "#shared/principal.ts";
import { ScheduleSummarySchema } from "#shared/schedule.schema.ts";
import { type ScheduleSummary, scheduleSummaryOf } from "#shared/schedule.ts";
import type { Client } from "./client.ts";
import { alwaysThere, type Keys, ownerKey } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

type Created = ["ok"] | ["first", string] | ["full"];
type TakenRows = [now: number, next: number | null, ...rows: [record: string, begun: number][]];

export function createSchedules(
  redis: Client,
  run: RunScript,
  { schedules: prefix }: Keys,
): ScheduleStore {
  return {
    async create(schedule) {
      const { id, tenant, key, kind, version, input } = schedule;
      const [answer, first] = await run<Created>(
        "create-schedule",
        prefix,
        id,
        encodeURIComponent(tenant),
        ownerKey(schedule),
        key,
        kind,
        version,
        recordOf(schedule),
        toJson(input, id, "input"),
        ...timesOf(schedule),
        MAX_SCHEDULES,
      );
      if (answer === "full") throw tooManySchedules(tenant);
      return first ?? id;
    },
    async replace(schedule, changed) {
      const { id, kind, version } = schedule;
      const input = changed === undefined ? "" : toJson(changed.input, id, "input");
      const fields = [id, version, kind, recordOf(schedule), input] as const;
      return (await run<number>("replace-schedule", prefix, ...fields, ...timesOf(schedule))) === 1;
    },
    async assign(schedule) {
      const { id, tenant, version, requestedAt } = schedule;
      if (requestedAt !== null) return "busy";
      return run<ScheduleAssigned>(
        "assign-schedule",
        prefix,
        id,
        version,
        recordOf(schedule),
        encodeURIComponent(tenant),
        ownerKey(schedule),
        timesOf(schedule)[1],
        MAX_SCHEDULES,
      );
    },
    async remove(id, version) {
      return (await run<number>("remove-schedule", prefix, id, version ?? "")) === 1;
    },
    async get(id) {
      const [record, input] = await redis.hmget(`${prefix}:s:${id}`, "r", "i");
      if (record == null) return undefined;
      return { ...summaryOf(record), input: JSON.parse(input ?? "null") as unknown };
    },
    find: async (owner, key) => (await redis.hget(keysOf(prefix, owner), key)) ?? undefined,
    async list({ tenant, owner, cursor, limit }) {
      const list = listOf(prefix, tenant, owner);
      const found = await run<[string, string][]>(
        "list-schedules",
        prefix,
        list,
        pageBefore(cursor),
        limit + 1,
      );
      const all = found.map(([n, record]) => ({ n: Number(n), record }));
      const { rows, nextCursor } = pageOf(all, limit);
      return { items: rows.map(({ record }) => summaryOf(record)), nextCursor };
    },
    async take({ kinds, max, holdMs, graceMs, leftMs }) {
      const [now, next, ...rows] = await run<TakenRows>(
        "take-schedules",
        prefix,
        max,
        holdMs,
        graceMs,
        leftMs,
        kinds,
      );
      return {
        taken: rows.map(([record, begun]) => ({ schedule: summaryOf(record), begun: begun === 1 })),
        now: new Date(now),
        next: next === null ? undefined : new Date(next),
      };
    },
    async release(id, version, delayMs) {
      await run("release-schedule", prefix, id, version, delayMs);
    },
    async time() {
      const [seconds, micros] = await redis.time();
      return new Date(Number(seconds) * 1000 + Math.floor(Number(micros) / 1000));
    },
  };
}

/** Its next time, and from when on it may be taken, in ms since 1970; "": never. */
function timesOf(schedule: ScheduleSummary): [next: string, free: string] {
  return [`${schedule.nextAt?.getTime() ?? ""}`, `${takenFrom(schedule) ?? ""}`];
}

function keysOf(prefix: string, owner: Owner): string {
  return `${prefix}:keys:${encodeURIComponent(owner.tenant)}:${ownerKey(owner)}`;
}

function listOf(prefix: string, tenant: string | undefined, owner: string | undefined): string {
  if (tenant === undefined) return `${prefix}:all`;
  const of = `${prefix}:of:${encodeURIComponent(tenant)}`;
  return owner === undefined ? of : `${of}:${ownerKey({ owner })}`;
}

function recordOf(schedule: ScheduleSummary): string {
  return JSON.stringify(scheduleSummaryOf(schedule));
}

function summaryOf(record: string): ScheduleSummary {
  return ScheduleSummarySchema.parse(JSON.parse(record));
}

/** The commands that store a schedule of another engine. */
export function putSchedule(
  redis: Client,
  { schedules: prefix }: Keys,
  { n, schedule, begunAt }: TransferSchedule,
): Promise<unknown>[] {
  const { id, tenant, owner, key, kind, version, input } = schedule;
  const [next, free] = timesOf(schedule);
  const fields: Record<string, string | number> = {
    n,
    t: encodeURIComponent(tenant),
    o: ownerKey(schedule),
    k: key,
    kind,
    v: version,
    r: recordOf(schedule),
    i: toJson(input, id, "input"),
    next,
    ...(begunAt !== null && { b: begunAt }),
  };
  return [
    redis.hset(`${prefix}:s:${id}`, fields),
    redis.hset(keysOf(prefix, schedule), key, id),
    redis.zadd(listOf(prefix, undefined, undefined), n, id),
    redis.zadd(listOf(prefix, tenant, undefined), n, id),
    redis.zadd(listOf(prefix, tenant, owner), n, id),
    redis.sadd(`${prefix}:kinds`, kind),
    ...(free === "" ? [] : [redis.zadd(`${prefix}:due:${kind}`, free, id)]),
    // The newest number: schedules come in the order of their creation.
    redis.set(alwaysThere(prefix), n),
  ];
}

/** True if there are any. */
export async function hasSchedules(redis: Client, { schedules: prefix }: Keys): Promise<boolean> {
  return (await redis.exists(`${prefix}:all`)) === 1;
}
