import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";
import type { ActingPrincipal } from "#shared/actor.ts";
import type { AppError } from "#shared/errors.ts";
import { Key } from "#server/jobs/inputs.ts";
import { MAX_INPUT_BYTES } from "#shared/limits.ts";
import { codeOf } from "#test/engine/builders.ts";
import { me } from "#test/jobs/acting.ts";
import {
  type FixtureOptions,
  openSchedulesFixture,
  report,
  type SchedulesFixture,
} from "#test/schedules/schedules.fixture.ts";
import { type ScheduleRequest, ScheduleToUpsert } from "./inputs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = "2027-01-01T00:30:00Z";
const HOURLY: ScheduleRequest = {
  key: "hourly",
  kind: "report",
  input: { to: "ann" },
  when: { cron: "0 * * * *" },
};

async function open(options?: FixtureOptions): Promise<SchedulesFixture> {
  const fixture = await openSchedulesFixture(START, options);
  onTestFinished(() => fixture.close());
  return fixture;
}
const by = (userId: string, scopes = ["jobs:read", "jobs:write"], tenantId = me.tenantId) =>
  ({ userId, tenantId, scopes, via: "token" }) satisfies ActingPrincipal;

describe("[K1] a schedule has a key of its owner's choosing", () => {
  test("storing it again changes nothing, and changes of it keep what they do not concern", async () => {
    const fixture = await open();
    const { commands } = fixture.schedules;
    const first = await commands.upsert(me, HOURLY);
    expect(first).toMatchObject({ version: 1, nextAt: new Date("2027-01-01T01:00:00Z") });
    expect(first).not.toHaveProperty("input");
    await fixture.advance(HOUR_MS / 4);
    expect(await commands.upsert(me, HOURLY)).toEqual(first);
    // Another input, of the same times.
    const other = await commands.upsert(me, { ...HOURLY, input: { to: "bob" }, title: "To Bob" });
    expect(other).toMatchObject({ id: first.id, version: 2, nextAt: first.nextAt });
    expect(await commands.get(me, first.id)).toMatchObject({ input: { to: "bob" } });
    await fixture.advance(HOUR_MS);
    expect((await fixture.jobs()).map(({ title }) => title)).toEqual(["To Bob"]);
    // Other times begin from now on.
    const moved = await commands.upsert(me, { ...HOURLY, when: { everyMs: 10_000 } });
    expect(moved.nextAt).toEqual(new Date(fixture.clock.now().getTime() + 10_000));
    expect(moved).toMatchObject({ cron: null, everyMs: 10_000, title: null });
  });

  test("[K10] other options change it, the same ones do not, and its times stay", async () => {
    const fixture = await open();
    const { commands } = fixture.schedules;
    const { nextAt } = await commands.upsert(me, HOURLY);
    await fixture.advance(HOUR_MS / 4);
    const none = { priority: null, expiresInMs: null, maxAttempts: null };
    const steps = [{ priority: 0 }, { expiresInMs: 5 }, { maxAttempts: 2 }];
    for (const [index, options] of steps.entries()) {
      const first = await commands.upsert(me, { ...HOURLY, ...options });
      expect(first).toMatchObject({ ...none, ...options, version: index + 2, nextAt });
      expect(await commands.upsert(me, { ...HOURLY, ...options })).toEqual(first);
    }
    expect(await commands.upsert(me, HOURLY)).toMatchObject({ ...none, nextAt });
  });

  test("many at once store one", async () => {
    const fixture = await open();
    const { commands } = fixture.schedules;
    const many = Array.from({ length: 10 }, (_, index) =>
      commands.upsert(me, { ...HOURLY, input: { to: `${index}` } }),
    );
    expect(new Set((await Promise.all(many)).map(({ id }) => id)).size).toBe(1);
    await fixture.advance(HOUR_MS);
    expect(await fixture.jobs()).toHaveLength(1);
  });

  test("a paused one stays paused", async () => {
    const fixture = await open();
    const { commands } = fixture.schedules;
    const { id } = await commands.upsert(me, HOURLY);
    await commands.pause(me, id);
    expect(await commands.upsert(me, { ...HOURLY, title: "Other" })).toMatchObject({
      nextAt: null,
    });
    await fixture.advance(HOUR_MS);
    expect(await fixture.jobs()).toEqual([]);
  });
});

describe("[K5] a schedule is refused with the field that is at fault", () => {
  test("by its kind, and by the times that it names", async () => {
    const { commands } = (await open()).schedules;
    const refusal = async (given: Partial<ScheduleRequest>) => {
      const error = await commands.upsert(me, { ...HOURLY, ...given }).then(
        () => undefined,
        (thrown: AppError) => thrown,
      );
      return [error?.code, error?.issues[0]?.path.join("."), error?.message];
    };
    expect(await refusal({ kind: "none" })).toEqual([
      "NOT_FOUND",
      undefined,
      expect.stringContaining('no kind "none"'),
    ]);
    const text = expect.any(String);
    expect(await refusal({ input: { to: 5 } })).toEqual(["BAD_REQUEST", "input.to", text]);
    const large = { to: "x".repeat(MAX_INPUT_BYTES) };
    expect(await refusal({ input: large })).toEqual(["BAD_REQUEST", "input", text]);
    expect(await refusal({ when: { cron: "x" } })).toEqual(["BAD_REQUEST", "cron", text]);
    const past = new Date("2027-01-01T00:00:00Z");
    expect(await refusal({ when: { at: past } })).toEqual([
      "BAD_REQUEST",
      "at",
      "2027-01-01T00:00:00.000Z has passed. Give a time to come.",
    ]);
    expect((await commands.list(me, { limit: 9 })).items).toEqual([]);
  });

  test("with its fields: one way to name times, an interval within bounds, lengths", () => {
    const base = { key: "k", kind: "report", input: {} };
    const fault = (given: object) => {
      const { error } = ScheduleToUpsert.safeParse({ ...base, ...given });
      return error?.issues.map(({ path }) => path.join("."));
    };
    expect(fault({ cron: "@daily" })).toBeUndefined();
    expect(fault({ at: "2027-01-01T00:00:00Z" })).toBeUndefined();
    expect(fault({})).toEqual(["cron"]);
    expect(fault({ cron: "@daily", everyMs: 5000 })).toEqual(["cron"]);
    expect(fault({ everyMs: 5000, timeZone: "UTC" })).toEqual(["timeZone"]);
    expect(fault({ everyMs: 999 })).toEqual(["everyMs"]);
    expect(fault({ everyMs: 367 * DAY_MS })).toEqual(["everyMs"]);
    expect(fault({ everyMs: 1000.5 })).toEqual(["everyMs"]);
    expect(fault({ cron: "*".repeat(201) })).toEqual(["cron"]);
    expect(fault({ cron: "@daily", timeZone: "x".repeat(101) })).toEqual(["timeZone"]);
    expect(fault({ cron: "@daily", key: "" })).toEqual(["key"]);
    expect(fault({ cron: "@daily", key: "x".repeat(201) })).toEqual(["key"]);
    expect(fault({ cron: "@daily", key: "\ud800" })).toEqual(["key"]);
    expect(fault({ cron: "@daily", title: "x".repeat(301) })).toEqual(["title"]);
    expect(fault({ cron: "@daily", missed: "all" })).toEqual(["missed"]);
    expect(fault({ cron: "@daily", priority: 10 })).toEqual(["priority"]);
    expect(fault({ cron: "@daily", expiresInMs: 0 })).toEqual(["expiresInMs"]);
    expect(fault({ cron: "@daily", expiresInMs: 367 * DAY_MS })).toEqual(["expiresInMs"]);
    expect(fault({ cron: "@daily", maxAttempts: 101 })).toEqual(["maxAttempts"]);
    expect(fault({ at: "tomorrow" })).toEqual(["at"]);
    expect(fault({ at: new Date(8.64e15) })).toEqual(["at"]);
    expect(fault({ at: new Date(Number.NaN) })).toEqual(["at"]);
    expect(fault({ at: new Date("9999-12-31T23:59:59.999Z") })).toBeUndefined();
  });

  test("and with no key of the server's own, as jobs are", () => {
    const key = "\u0001schedule:x:1";
    const given = { key, kind: "report", input: {}, cron: "@daily" };
    const { error } = ScheduleToUpsert.safeParse(given);
    expect(error?.issues[0]?.message).toContain("U+0001");
    expect(Key.safeParse(key).success).toBe(false);
    expect(Key.safeParse(`x${key}`).success).toBe(true);
  });
});

describe("[K7] schedules of others", () => {
  test("do not exist for callers who may not read them, and do for those with the scope tenant", async () => {
    const fixture = await open();
    const { commands } = fixture.schedules;
    const ann = by("ann");
    const { id } = await commands.upsert(ann, HOURLY);
    const foreign = by("ann", ["jobs:read", "jobs:write", "tenant"], "bakery");
    for (const stranger of [by("bob"), foreign]) {
      const calls = [
        commands.get(stranger, id),
        commands.pause(stranger, id),
        commands.resume(stranger, id),
        commands.trigger(stranger, id),
        commands.delete(stranger, id),
      ];
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "NOT_FOUND"));
      expect((await commands.list(stranger, { limit: 9 })).items).toEqual([]);
      expect((await commands.list(stranger, { key: "hourly", limit: 9 })).items).toEqual([]);
    }
    expect(await codeOf(commands.list(by("bob"), { owner: "ann", limit: 9 }))).toBe("FORBIDDEN");
    const boss = by("boss", ["jobs:read", "jobs:write", "tenant"]);
    expect((await commands.list(boss, { allOwners: true, limit: 9 })).items).toHaveLength(1);
    const query = { owner: "ann", key: "hourly", limit: 9 };
    expect((await commands.list(boss, query)).items).toHaveLength(1);
    expect((await commands.get(boss, id)).upcoming).toHaveLength(5);
    const job = await commands.trigger(boss, id);
    expect(job).toMatchObject({ owner: "ann", tenant: "local" });
    await commands.delete(boss, id);
    expect(await codeOf(commands.get(ann, id))).toBe("NOT_FOUND");
  });

  test("can be changed without being read: the answer has no input", async () => {
    const { commands } = (await open()).schedules;
    const writer = by("ann", ["jobs:write"]);
    const { id } = await commands.upsert(writer, HOURLY);
    expect(await codeOf(commands.get(writer, id))).toBe("NOT_FOUND");
    expect(await commands.pause(writer, id)).not.toHaveProperty("input");
    expect((await commands.trigger(writer, id)).input).toBeNull();
  });
});

test("[K8] to fire by hand creates a job at once, and moves no time, also of a paused schedule", async () => {
  const fixture = await open();
  const { commands } = fixture.schedules;
  const { id, nextAt } = await commands.upsert(me, HOURLY);
  const jobs = [await commands.trigger(me, id), await commands.trigger(me, id)];
  expect(jobs[0]?.id).not.toBe(jobs[1]?.id);
  const schedule = await commands.get(me, id);
  expect(schedule).toMatchObject({ nextAt, lastJobId: jobs[1]?.id, lastAt: null });
  await commands.pause(me, id);
  await commands.trigger(me, id);
  expect(await fixture.jobs()).toHaveLength(3);
  await commands.resume(me, id);
  await fixture.advance(HOUR_MS);
  expect(await fixture.jobs()).toHaveLength(4);
});

test("[K8] to fire by hand rejects where the kind refuses the input, and stores nothing", async () => {
  const fixture = await open();
  const { id } = await fixture.schedules.commands.upsert(me, HOURLY);
  const strict = defineKind({
    ...report,
    schedules: [],
    input: z.object({ from: z.string() }),
    title: () => "",
  });
  await fixture.restart(0, [strict]);
  expect(await codeOf(fixture.schedules.commands.trigger(me, id))).toBe("BAD_REQUEST");
  expect(await fixture.schedules.commands.get(me, id)).toMatchObject({
    lastError: null,
    version: 1,
  });
});

test("[K2] the next five times are shown, and none while it is paused", async () => {
  const { commands } = (await open()).schedules;
  const { id } = await commands.upsert(me, HOURLY);
  const { upcoming } = await commands.get(me, id);
  expect(upcoming.map((time) => time.getUTCHours())).toEqual([1, 2, 3, 4, 5]);
  await commands.pause(me, id);
  expect(await commands.get(me, id)).toMatchObject({ nextAt: null, upcoming: [] });
  expect((await commands.list(me, { limit: 9 })).items[0]).toMatchObject({ nextAt: null });
});

test("[K3] whatever is done to schedules while they fire, no time is fired twice, and none is lost but those that were missed", async () => {
  const fixture = await open();
  const { commands } = fixture.schedules;
  const keys = ["a", "b", "c"];
  const everyMs = 60_000;
  const ids = await Promise.all(
    keys.map(
      async (key) =>
        (await commands.upsert(me, { ...HOURLY, key, missed: "skip", when: { everyMs } })).id,
    ),
  );
  let byHand = 0;
  // A fixed sequence without any order, so that a failure can be repeated.
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 40; round++) {
    const acts = Array.from({ length: 4 }, async () => {
      const id = ids[random(ids.length)] ?? "";
      const act = random(4);
      for (let turns = random(4); turns > 0; turns--) await new Promise(setImmediate);
      if (act === 0) await commands.pause(me, id);
      if (act === 1) await commands.resume(me, id);
      if (act === 2) await commands.trigger(me, id);
      if (act === 2) byHand += 1;
      const index = ids.indexOf(id);
      const when = { everyMs };
      const title = `${random(3)}`;
      if (act === 3) {
        await commands.upsert(me, {
          ...HOURLY,
          key: keys[index] ?? "",
          missed: "skip",
          when,
          title,
        });
      }
    });
    await Promise.all([fixture.advance(everyMs), ...acts]);
  }
  for (const id of ids) await commands.resume(me, id);
  await fixture.advance(2 * everyMs);
  const jobs = await fixture.jobs();
  const times = new Map<string, number[]>(ids.map((id) => [id, []]));
  for (const { id, createdAt } of jobs) {
    const { events } = (await fixture.engine.readEvents(id, 0, 1)) ?? {};
    const { scheduleId = "", via } = events?.[0]?.actor ?? {};
    if (via === "schedule") times.get(scheduleId)?.push(createdAt.getTime());
  }
  const planned = [...times.values()].flat();
  expect(planned.length + byHand).toBe(jobs.length);
  for (const [id, all] of times) {
    expect(new Set(all).size).toBe(all.length);
    const { plannedAt, lastAt, nextAt } = await commands.get(me, id);
    // The last one is no missed one, and the plan is the one that it began with.
    expect(Math.max(...all)).toBe(lastAt?.getTime());
    expect((nextAt?.getTime() ?? 0) - (lastAt?.getTime() ?? 0)).toBe(everyMs);
    for (const time of all) expect((time - plannedAt.getTime()) % everyMs).toBe(0);
  }
});
