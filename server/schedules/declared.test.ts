import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { type AnyKind, defineKind } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { createRequestValidator } from "#server/jobs/validate-request.ts";
import { AppError } from "#shared/errors.ts";
import { ownerOf } from "#shared/principal.ts";
import type { DeclaredSchedule } from "#shared/schedule.ts";
import { me } from "#test/jobs/acting.ts";
import { openSchedulesFixture, report } from "#test/schedules/schedules.fixture.ts";
import { declaredSchedules } from "./declared.ts";
import { openSchedules } from "./open.ts";

const NIGHTLY = { key: "nightly", cron: "0 3 * * *", input: {} };
const HOURLY = { key: "hourly", cron: "0 * * * *", input: { to: "ann" } };
const kindWith = (schedules: readonly DeclaredSchedule[], name = "report"): AnyKind => ({
  ...report,
  name,
  schedules,
});

async function open(kinds: readonly AnyKind[]) {
  const fixture = await openSchedulesFixture("2027-01-01T00:30:00Z", { kinds });
  onTestFinished(() => fixture.close());
  const keys = async () => {
    const { items } = await fixture.schedules.commands.list(me, { limit: 9 });
    return items.map(({ key }) => key).toSorted();
  };
  await fixture.advance(0);
  return { fixture, keys };
}

describe("[K9] schedules that kinds declare", () => {
  test("are stored at the start and fire, and those that are declared no more are removed", async () => {
    const { fixture, keys } = await open([kindWith([NIGHTLY, HOURLY])]);
    expect(await keys()).toEqual(["hourly", "nightly"]);
    await fixture.advance(3_600_000);
    expect((await fixture.jobs()).map(({ title }) => title)).toEqual(["Report to ann"]);
    await fixture.schedules.commands.upsert(me, {
      key: "mine",
      kind: "report",
      input: {},
      when: { everyMs: 5_000_000 },
    });
    await fixture.restart(0, [kindWith([NIGHTLY])]);
    expect(await keys()).toEqual(["mine", "nightly"]);
    // Servers with other kinds may run on the same data.
    await fixture.restart(0, [kindWith([], "other")]);
    expect(await keys()).toEqual(["mine", "nightly"]);
    await fixture.restart(0, [kindWith([])]);
    expect(await keys()).toEqual(["mine"]);
  });

  test("[K12] those of the owner that they had before sign-in are removed, and no other", async () => {
    const { fixture, keys } = await open([kindWith([NIGHTLY])]);
    await fixture.schedules.commands.upsert(me, { ...HOURLY, kind: "report", when: HOURLY });
    const kinds = createKindRegistry([kindWith([NIGHTLY])]);
    const owner = { tenant: "acme", owner: "system" };
    const { engine, clock } = fixture;
    const later = openSchedules({
      engine,
      jobs: { createScheduled: () => Promise.reject(new Error("No job is due.")) },
      kinds,
      record: async () => {},
      owner,
      earlier: ownerOf(me),
      clock,
      observer: { fired: () => {}, lagged: () => {} },
      log: pino({ level: "silent" }),
    });
    later.start();
    await fixture.advance(0);
    expect(await keys()).toEqual(["hourly"]);
    const { items } = await engine.schedules.list({ ...owner, limit: 9 });
    expect(items.map(({ key }) => key)).toEqual(["nightly"]);
    await later.stop();
  });

  test("a second start changes nothing: times, state and what a person paused stay", async () => {
    const { fixture } = await open([kindWith([HOURLY])]);
    const { commands } = fixture.schedules;
    const [before] = (await commands.list(me, { limit: 9 })).items;
    expect(before).toMatchObject({ declared: true, version: 1, owner: "local" });
    await fixture.restart(60_000);
    expect((await fixture.schedules.commands.list(me, { limit: 9 })).items).toEqual([before]);
    await fixture.schedules.commands.pause(me, before?.id ?? "");
    await fixture.restart(0, [kindWith([{ ...HOURLY, title: "New", priority: 2 }])]);
    const [after] = (await fixture.schedules.commands.list(me, { limit: 9 })).items;
    expect(after).toMatchObject({ id: before?.id, title: "New", priority: 2, nextAt: null });
    expect(after?.pausedAt).not.toBeNull();
  });

  test("several processes that start at once store each of them once", async () => {
    const { fixture, keys } = await open([]);
    const kinds = createKindRegistry([kindWith([NIGHTLY, HOURLY])]);
    const told: string[] = [];
    const log = pino({ level: "warn" }, { write: (text) => void told.push(text) });
    const { engine, clock } = fixture;
    const many = Array.from({ length: 5 }, () =>
      openSchedules({
        engine,
        jobs: { createScheduled: () => Promise.reject(new Error("No job is due.")) },
        kinds,
        record: async () => {},
        owner: { tenant: me.tenantId, owner: me.userId },
        clock,
        observer: { fired: () => {}, lagged: () => {} },
        log,
      }),
    );
    for (const each of many) each.start();
    await fixture.advance(0);
    expect(await keys()).toEqual(["hourly", "nightly"]);
    const { items } = await fixture.schedules.commands.list(me, { limit: 9 });
    expect(items.map(({ version }) => version)).toEqual([1, 1]);
    expect(told).toEqual([]);
    await Promise.all(many.map((each) => each.stop()));
  });

  test("are stored when the data can be written again", async () => {
    let isFull = true;
    const fixture = await openSchedulesFixture("2027-01-01T00:30:00Z", {
      kinds: [kindWith([HOURLY])],
      wrap: (engine, jobs) => ({
        jobs,
        engine: {
          ...engine,
          schedules: {
            ...engine.schedules,
            create: async (schedule) => {
              if (isFull) throw new AppError("UNAVAILABLE", "The disk is full.");
              return engine.schedules.create(schedule);
            },
          },
        },
      }),
    });
    onTestFinished(() => fixture.close());
    await fixture.advance(10_000);
    expect(fixture.logged[0]?.reason).toContain("The disk is full.");
    isFull = false;
    await fixture.advance(10_000);
    const { items } = await fixture.schedules.commands.list(me, { limit: 9 });
    expect(items).toHaveLength(1);
  });

  test("one whose only time has passed before it was ever stored is told of, and hinders nothing", async () => {
    const past = { key: "past", at: new Date("2026-01-01T00:00:00Z"), input: {} };
    const { fixture, keys } = await open([kindWith([past, HOURLY])]);
    expect(await keys()).toEqual(["hourly"]);
    expect(fixture.logged[0]).toMatchObject({ key: "past" });
  });
});

const refusal = (...kinds: AnyKind[]) => {
  const registry = createKindRegistry(kinds);
  return () => declaredSchedules(registry, createRequestValidator(registry));
};

describe("[K9] a server does not start with a declared schedule", () => {
  test.each([
    [
      { ...NIGHTLY, cron: "x" },
      /"nightly" of the kind "report" cannot be used: "x" is no expression/,
    ],
    [{ ...NIGHTLY, input: { to: 5 } }, /"nightly" of the kind "report" cannot be used: .*to/],
    [{ key: "none", input: {} }, /"none".*cron: Send one of cron, everyMs and at/],
    [{ key: "fast", input: {}, everyMs: 10 }, /"fast".*MIN_SCHEDULE_MS/],
    [{ ...NIGHTLY, priority: 10 }, /"nightly".*priority/],
  ])("that cannot be used: %j", (declared, text) => {
    expect(refusal(kindWith([declared]))).toThrow(text);
  });

  test("of a key that another one has", () => {
    const two = refusal(kindWith([NIGHTLY]), kindWith([NIGHTLY], "other"));
    expect(two).toThrow(/"report" and "other" declare schedules of one key, "nightly"/);
  });

  test("whose input is not of the kind's type, which does not compile", () => {
    const kind = defineKind({
      name: "report",
      input: z.object({ to: z.string() }),
      output: z.null(),
      run: async () => null,
      // @ts-expect-error -- `to` is a text
      schedules: [{ ...NIGHTLY, input: { to: 5 } }],
    });
    expect(refusal(kind)).toThrow(/"nightly"/);
  });
});
