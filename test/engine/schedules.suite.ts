import { describe, expect } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { TakeRequest } from "#server/engine/schedule-store.ts";
import { MAX_SCHEDULES } from "#shared/limits.ts";
import { type ScheduleSummary, scheduleSummaryOf } from "#shared/schedule.ts";
import { ANN, at, BOB, codeOf, newId, newSchedule } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const HOUR_MS = 3_600_000;
/** From now: an engine may decide by a clock of its own what is due. */
const inMs = (ms: number) => new Date(Date.now() + ms);

/** The record after it, with these fields. */
function changed(schedule: ScheduleSummary, given: Partial<ScheduleSummary>): ScheduleSummary {
  return { ...scheduleSummaryOf(schedule), ...given, version: schedule.version + 1 };
}

async function take(engine: Engine, given: Partial<TakeRequest> = {}) {
  const request = { kinds: ["report"], max: 10, holdMs: HOUR_MS, graceMs: 10_000, leftMs: 5000 };
  const { taken, next } = await engine.schedules.take({ ...request, now: new Date(), ...given });
  return { ids: taken.map(({ schedule }) => schedule.id), taken, next };
}

export function schedulesSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("schedules", () => {
    test("[K1] a schedule is stored whole, and found by its id and its owner's key", async ({
      data,
      engine,
    }) => {
      const schedule = newSchedule({
        tenant: "ü 😀:{x}",
        owner: "a b",
        key: "\u0002 “nightly”:*",
        title: "Nightly",
        input: { deep: [{ é: null }] },
        lastError: { code: "BAD_REQUEST", message: "No", dueAt: at(1), at: at(2.5) },
        lastMissed: { from: at(1), to: at(9), count: 3, ranOnce: true },
        lastAt: at(3),
        lastJobId: newId(),
      });
      const { tenant, owner, id, key } = schedule;
      expect(await engine.schedules.create(schedule)).toBe(id);
      expect(await engine.schedules.get(id)).toEqual(schedule);
      expect(await engine.schedules.find({ tenant, owner }, key)).toBe(id);
      expect(await engine.schedules.find({ tenant, owner: "a" }, key)).toBeUndefined();
      expect(await engine.schedules.get(newId())).toBeUndefined();
      await engine.close();
      expect(await (await data.open()).schedules.get(id)).toEqual(schedule);
    });

    test("[K10] options of its jobs are stored with a schedule, and records of earlier versions have none", async ({
      engine,
    }) => {
      const options = { priority: 0, expiresInMs: 1, maxAttempts: 100 };
      const schedule = newSchedule(options);
      await engine.schedules.create(schedule);
      expect(await engine.schedules.get(schedule.id)).toMatchObject(options);
      const other = changed(schedule, { priority: 9, expiresInMs: null });
      expect(await engine.schedules.replace(other)).toBe(true);
      expect((await engine.schedules.list({ limit: 1 })).items).toEqual([other]);

      // Fields that are `undefined` are not in the record, as in those that were stored before there were any.
      const { priority: _1, expiresInMs: _2, maxAttempts: _3, ...old } = newSchedule();
      await engine.schedules.create(old as typeof schedule);
      const none = { priority: null, expiresInMs: null, maxAttempts: null };
      expect(await engine.schedules.get(old.id)).toEqual({ ...old, ...none });
    });

    test("[K1] of schedules with one key that are created at once, one is stored", async ({
      engine,
    }) => {
      const many = Array.from({ length: 5 }, () => newSchedule({ key: "nightly" }));
      const ids = await Promise.all(many.map((each) => engine.schedules.create(each)));
      expect(new Set(ids).size).toBe(1);
      const { items } = await engine.schedules.list({ limit: 9 });
      expect(items.map(({ id }) => id)).toEqual([ids[0]]);
      for (const key of ["nightly\u0000", "nightly\u0000x", "nightly "]) {
        const other = newSchedule({ key });
        expect(await engine.schedules.create(other)).toBe(other.id);
        expect(await engine.schedules.find(ANN, key)).toBe(other.id);
        expect((await engine.schedules.get(other.id))?.key).toBe(key);
        await engine.schedules.remove(other.id);
      }
      // Another owner's key is another one.
      const others = newSchedule({ ...BOB, key: "nightly" });
      expect(await engine.schedules.create(others)).toBe(others.id);
    });

    test("are listed newest first, in pages, of an owner, of a tenant or of all", async ({
      engine,
    }) => {
      const ids: string[] = [];
      for (const owner of [ANN, BOB, ANN, { tenant: "bakery", owner: "ann" }, ANN]) {
        const schedule = newSchedule(owner);
        await engine.schedules.create(schedule);
        ids.unshift(schedule.id);
      }
      const idsOf = async (query: { tenant?: string; owner?: string }) => {
        const first = await engine.schedules.list({ ...query, limit: 2 });
        const cursor = first.nextCursor ?? undefined;
        const rest =
          cursor === undefined
            ? { items: [], nextCursor: null }
            : await engine.schedules.list({ ...query, cursor, limit: 9 });
        expect(rest.nextCursor).toBeNull();
        return [...first.items, ...rest.items].map(({ id }) => id);
      };
      expect(await idsOf({})).toEqual(ids);
      expect(await idsOf({ tenant: "acme" })).toEqual([ids[0], ids[2], ids[3], ids[4]]);
      expect(await idsOf(ANN)).toEqual([ids[0], ids[2], ids[4]]);
      expect(await idsOf({ tenant: "nowhere" })).toEqual([]);
      const [item] = (await engine.schedules.list({ limit: 1 })).items;
      expect(item).not.toHaveProperty("input");
      expect(await codeOf(engine.schedules.list({ cursor: "x", limit: 1 }))).toBe("BAD_REQUEST");
    });

    test("[K3] a record is replaced in the version that it was made of, and in no other", async ({
      engine,
    }) => {
      const schedule = newSchedule();
      await engine.schedules.create(schedule);
      const first = changed(schedule, { title: "First", kind: "other", pausedAt: at(1) });
      const second = changed(schedule, { title: "Second" });
      const done = await Promise.all([
        engine.schedules.replace(first),
        engine.schedules.replace(second, { input: "new" }),
      ]);
      expect(done.filter(Boolean)).toHaveLength(1);
      const stored = await engine.schedules.get(schedule.id);
      const expected = done[0] ? { ...first, input: { to: "ann" } } : { ...second, input: "new" };
      expect(stored).toEqual(expected);
      expect(await engine.schedules.replace(changed(newSchedule(), {}))).toBe(false);
      expect(await engine.schedules.remove(schedule.id, 1)).toBe(false);
      expect(await engine.schedules.remove(schedule.id, 2)).toBe(true);
      expect(await engine.schedules.remove(schedule.id)).toBe(false);
      expect(await engine.schedules.find(ANN, schedule.key)).toBeUndefined();
      expect(await engine.schedules.replace(changed(first, {}))).toBe(false);
      expect((await engine.schedules.list({ limit: 9 })).items).toEqual([]);
    });

    test("[K3] what is due is taken by one caller, the longest due first, in steps", async ({
      engine,
    }) => {
      const all = [-3000, -1000, -2000, HOUR_MS].map((ms) => newSchedule({ nextAt: inMs(ms) }));
      for (const each of all) await engine.schedules.create(each);
      const [third, first, second, later] = [all[1]?.id, all[0]?.id, all[2]?.id, all[3]];
      expect((await take(engine, { max: 1 })).ids).toEqual([first]);
      const both = await Promise.all([take(engine, { max: 1 }), take(engine, { max: 1 })]);
      expect(new Set(both.flatMap(({ ids }) => ids))).toEqual(new Set([second, third]));
      const { ids, next } = await take(engine);
      expect(ids).toEqual([]);
      expect(next).toEqual(later?.nextAt);
    });

    test("[K3] one that is held is free again when the hold ends, and its firing has begun", async ({
      engine,
    }) => {
      const schedule = newSchedule({ nextAt: inMs(-1000) });
      await engine.schedules.create(schedule);
      expect((await take(engine, { holdMs: 0 })).taken).toEqual([
        { schedule: scheduleSummaryOf(schedule), begun: false },
      ]);
      expect((await take(engine, { holdMs: 0 })).taken[0]?.begun).toBe(true);
      // Given back, it has not begun.
      await engine.schedules.release(schedule.id, 2, 0, new Date());
      expect((await take(engine, { holdMs: 0 })).taken[0]?.begun).toBe(true);
      await engine.schedules.release(schedule.id, 1, 0, new Date());
      expect((await take(engine, { holdMs: 0 })).taken[0]?.begun).toBe(false);
      await engine.schedules.release(schedule.id, 1, HOUR_MS, new Date());
      expect((await take(engine)).ids).toEqual([]);
      // At another time, neither.
      const moved = changed(schedule, { nextAt: inMs(-500) });
      expect(await engine.schedules.replace(moved)).toBe(true);
      expect((await take(engine, { holdMs: 0 })).taken[0]).toMatchObject({ begun: false });
    });

    test("[K3] a firing that is found too late has not begun, unless it had before", async ({
      engine,
    }) => {
      const late = newSchedule({ nextAt: inMs(-20_000) });
      await engine.schedules.create(late);
      await take(engine, { holdMs: 0 });
      expect((await take(engine, { holdMs: 0 })).taken[0]?.begun).toBe(false);
      await take(engine, { holdMs: 0, graceMs: 60_000 });
      expect((await take(engine, { holdMs: 0 })).taken[0]?.begun).toBe(true);
      const paused = changed(late, { pausedAt: at(0) });
      expect(await engine.schedules.replace(paused)).toBe(true);
      expect((await take(engine)).ids).toEqual([]);
      expect(await engine.schedules.replace(changed(paused, { pausedAt: null }))).toBe(true);
      expect((await take(engine)).taken[0]?.begun).toBe(true);
    });

    test("[K6] schedules of kinds that the caller does not know are left to others for a while", async ({
      engine,
    }) => {
      const fresh = newSchedule({ kind: "other", nextAt: inMs(-1000) });
      const old = newSchedule({ kind: "other", nextAt: inMs(-6000) });
      for (const each of [fresh, old]) await engine.schedules.create(each);
      expect((await take(engine)).ids).toEqual([old.id]);
      expect((await take(engine, { kinds: [] })).ids).toEqual([]);
      expect((await take(engine, { kinds: ["other", "report"] })).ids).toEqual([fresh.id]);
    });

    test("[K2] one that is paused or finished is never due, and one that is removed neither", async ({
      engine,
    }) => {
      const due = inMs(-1000);
      const paused = newSchedule({ nextAt: due, pausedAt: at(0) });
      const removed = newSchedule({ nextAt: due });
      const ended = newSchedule({ nextAt: null });
      for (const each of [paused, ended, removed]) await engine.schedules.create(each);
      await engine.schedules.remove(removed.id);
      expect((await take(engine)).ids).toEqual([]);
      expect((await take(engine)).next).toBeUndefined();
      expect(await engine.schedules.replace(changed(paused, { pausedAt: null }))).toBe(true);
      expect((await take(engine)).ids).toEqual([paused.id]);
      // A hold ends with the next record.
      const again = changed(changed(paused, {}), { pausedAt: null });
      expect(await engine.schedules.replace(again)).toBe(true);
      expect((await take(engine)).ids).toEqual([paused.id]);
    });

    test("[K8] one that is to fire by hand is due at once, paused or finished, and its plan has not begun", async ({
      engine,
    }) => {
      const given = { nextAt: inMs(HOUR_MS), requestedAt: inMs(-1) };
      const all = [
        newSchedule(given),
        newSchedule({ ...given, pausedAt: at(0) }),
        newSchedule({ ...given, nextAt: null }),
      ];
      for (const each of all) await engine.schedules.create(each);
      const { taken } = await take(engine, { holdMs: 0 });
      expect(taken.map(({ begun }) => begun)).toEqual([false, false, false]);
      expect((await take(engine)).ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
      for (const each of all) {
        expect(await engine.schedules.replace(changed(each, { requestedAt: null }))).toBe(true);
      }
      expect((await take(engine)).next).toEqual(all[0]?.nextAt);
    });

    test("[K12] a schedule is given to another owner as it is, unless a firing is under way", async ({
      engine,
    }) => {
      const { schedules } = engine;
      const given = (schedule: ScheduleSummary, to = BOB) => changed(schedule, to);
      const list = async (of: object) =>
        (await schedules.list({ ...of, limit: 9 })).items.map(({ id }) => id);
      const [first, last] = [newSchedule({ key: "k", nextAt: inMs(-1000) }), newSchedule(BOB)];
      for (const each of [first, last]) await schedules.create(each);
      const eve = { tenant: "other", owner: "eve" };
      // Within the tenant, and to another.
      expect(await schedules.assign(given(first))).toBe("moved");
      expect(await list(ANN)).toEqual([]);
      expect(await list(BOB)).toEqual([last.id, first.id]);
      const bobs = { ...first, ...BOB, version: 2 };
      const eves = given(bobs, eve);
      expect(await schedules.assign(eves)).toBe("moved");
      expect(await schedules.get(first.id)).toEqual({ ...first, ...eve, version: 3 });
      expect([await list({ tenant: BOB.tenant }), await list(eve)]).toEqual([
        [last.id],
        [first.id],
      ]);
      expect(await list({})).toEqual([last.id, first.id]);
      expect(await schedules.find(eve, "k")).toBe(first.id);
      expect(await schedules.find(BOB, "k")).toBeUndefined();
      const { taken } = await take(engine);
      expect(taken).toEqual([{ schedule: eves, begun: false }]);

      // A process holds it.
      const back = given(eves, ANN);
      expect(await schedules.assign(back)).toBe("busy");
      await schedules.release(first.id, 3, HOUR_MS, new Date());
      expect(await schedules.assign(back)).toBe("busy");
      const fired = changed(eves, { nextAt: inMs(HOUR_MS) });
      await schedules.replace(fired);
      // Its owner has paused it while a firing had begun, or one by hand is asked for.
      const begun = newSchedule({ nextAt: inMs(-1000), key: "begun" });
      await schedules.create(begun);
      await take(engine);
      const paused = changed(begun, { pausedAt: at(0) });
      await schedules.replace(paused);
      expect(await schedules.assign(given(paused))).toBe("busy");
      const asked = changed(paused, { nextAt: inMs(HOUR_MS), requestedAt: at(0) });
      await schedules.replace(asked);
      expect(await schedules.assign(given(asked))).toBe("busy");
      const idle = changed(asked, { requestedAt: null });
      await schedules.replace(idle);
      expect(await schedules.assign(given(idle))).toBe("moved");

      const other = newSchedule({ key: "k" });
      await schedules.create(other);
      expect(await schedules.assign(given(fired, ANN))).toBe("taken");
      expect(await schedules.get(first.id)).toMatchObject({ ...eve, version: 4 });
      expect(await schedules.assign(given(eves, BOB))).toBe("changed");
      expect(await schedules.assign(given(newSchedule()))).toBe("changed");
      await schedules.remove(other.id);
      expect(await schedules.assign(given(fired, ANN))).toBe("moved");
      await schedules.remove(first.id);
      expect(await schedules.find(ANN, "k")).toBeUndefined();
      expect(await list(ANN)).toEqual([]);
    });

    test("[K5] a tenant has a limited number, and one that has fired for the last time makes room", async ({
      engine,
    }) => {
      const ended = newSchedule({ ...BOB, nextAt: null });
      await engine.schedules.create(ended);
      const many = Array.from({ length: MAX_SCHEDULES - 1 }, () => newSchedule());
      await Promise.all(many.map((each) => engine.schedules.create(each)));
      await engine.schedules.create(newSchedule());
      expect(await engine.schedules.get(ended.id)).toBeUndefined();
      expect(await engine.schedules.find(BOB, ended.key)).toBeUndefined();
      const more = newSchedule();
      const refused = engine.schedules.create(more);
      await expect(refused).rejects.toThrow(/"acme" has 1000 schedules.*MAX_SCHEDULES/);
      expect(await codeOf(refused)).toBe("BAD_REQUEST");
      expect(await engine.schedules.get(more.id)).toBeUndefined();
      const bakers = newSchedule({ tenant: "bakery" });
      await engine.schedules.create(bakers);
      expect(await engine.schedules.assign(changed(bakers, BOB))).toBe("full");
      const [first] = many;
      expect(await engine.schedules.remove(first?.id ?? "")).toBe(true);
      expect(await engine.schedules.create(more)).toBe(more.id);
    });

    test("can be read and written no more once the engine is closed", async ({ engine }) => {
      const schedule = newSchedule();
      await engine.close();
      const calls = [
        engine.schedules.create(schedule),
        engine.schedules.replace(schedule),
        engine.schedules.remove(schedule.id),
        engine.schedules.get(schedule.id),
        engine.schedules.find(ANN, "x"),
        engine.schedules.list({ limit: 1 }),
        engine.schedules.release(schedule.id, 1, 0, new Date()),
        engine.schedules.time(new Date()),
      ];
      const codes = await Promise.all([...calls, take(engine)].map(codeOf));
      expect(codes).toEqual(Array.from({ length: 9 }, () => "UNAVAILABLE"));
    });
  });
}
