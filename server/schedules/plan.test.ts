import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppError } from "#shared/errors.ts";
import { MAX_MISSED_COUNT } from "#shared/limits.ts";
import type { When } from "#shared/schedule.ts";
import { countOf, newestBefore, nextAfter, type PlacedPlan, planOf, upcomingOf } from "./plan.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const plannedAt = new Date("2026-01-01T00:00:00.500Z");
const placed = (when: When): PlacedPlan => ({ ...planOf(when), plannedAt });
const daily = (cron: string, timeZone = "Europe/Stockholm") => placed({ cron, timeZone });
const timesFrom = (plan: PlacedPlan, from: string, count: number) =>
  upcomingOf(plan, nextAfter(plan, new Date(from)), count).map((time) => time.toISOString());

describe("[K4] changes of the hour, in Stockholm", () => {
  // 02:00 becomes 03:00 on 28 March 2027, and 03:00 becomes 02:00 on 31 October.
  test("a fixed time that does not exist comes when the clock has jumped, once for all of them", () => {
    const times = [
      "2027-03-27T01:30:00.000Z",
      "2027-03-28T01:00:00.000Z",
      "2027-03-29T00:30:00.000Z",
    ];
    expect(timesFrom(daily("30 2 * * *"), "2027-03-27T00:00:00Z", 3)).toEqual(times);
    const both = daily("15,45 2 * * *");
    expect(timesFrom(both, "2027-03-28T00:00:00Z", 2)).toEqual([
      "2027-03-28T01:00:00.000Z",
      "2027-03-29T00:15:00.000Z",
    ]);
  });

  test("a fixed time that comes twice counts once, the first time", () => {
    expect(timesFrom(daily("30 2 * * *"), "2027-10-30T12:00:00Z", 2)).toEqual([
      "2027-10-31T00:30:00.000Z",
      "2027-11-01T01:30:00.000Z",
    ]);
  });

  test("an expression with * or steps goes on through both, in even steps", () => {
    const every = daily("*/30 * * * *");
    expect(timesFrom(every, "2027-03-28T00:29:00Z", 3)).toEqual([
      "2027-03-28T00:30:00.000Z",
      "2027-03-28T01:00:00.000Z",
      "2027-03-28T01:30:00.000Z",
    ]);
    expect(timesFrom(every, "2027-10-31T00:29:00Z", 4)).toEqual([
      "2027-10-31T00:30:00.000Z",
      "2027-10-31T01:00:00.000Z",
      "2027-10-31T01:30:00.000Z",
      "2027-10-31T02:00:00.000Z",
    ]);
  });
});

/** Two days each, around a change of the hour; Lord Howe's clocks change by half an hour. */
const WINDOWS: readonly (readonly [zone: string, from: string])[] = [
  ["Europe/Stockholm", "2027-03-27T00:00:00Z"],
  ["Europe/Stockholm", "2027-10-30T00:00:00Z"],
  ["America/New_York", "2027-03-13T12:00:00Z"],
  ["America/New_York", "2027-11-06T12:00:00Z"],
  ["Australia/Lord_Howe", "2027-04-02T18:00:00Z"],
  ["Australia/Lord_Howe", "2027-10-01T18:00:00Z"],
  ["Asia/Kolkata", "2027-05-01T00:00:00Z"],
];

interface Field {
  text: string;
  values: ReadonlySet<number>;
  isWild: boolean;
}

function fieldsOf(count: number): fc.Arbitrary<Field> {
  const all = Array.from({ length: count }, (_, value) => value);
  return fc.oneof(
    fc.constant({ text: "*", values: new Set(all), isWild: true }),
    fc.constantFrom(2, 3, 7, 10, 15).map((step) => ({
      text: `*/${step}`,
      values: new Set(all.filter((value) => value % step === 0)),
      isWild: true,
    })),
    fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: 4 }).map((values) => ({
      text: values.toSorted((a, b) => a - b).join(","),
      values: new Set(values),
      isWild: false,
    })),
  );
}

/** The time that clocks on walls show, in minutes since 1970. */
function wallMinutes(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    hourCycle: "h23",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const [year, month, day] = [parts.get("year"), parts.get("month"), parts.get("day")];
    const [hour, minute] = [parts.get("hour"), parts.get("minute")];
    return Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute) / MINUTE_MS;
  };
}

const walls = new Map(
  WINDOWS.map(([zone, from]) => {
    const wall = wallMinutes(zone);
    const start = Date.parse(from);
    const all = Array.from({ length: (2 * DAY_MS) / MINUTE_MS + 181 }, (_, index) =>
      wall(start + (index - 180) * MINUTE_MS),
    );
    return [`${zone} ${from}`, { start, all }];
  }),
);

/** Minute by minute, as a person with a clock on the wall would do it. */
function referenceTimes(window: string, minute: Field, hour: Field): number[] {
  const { start, all } = walls.get(window) ?? { start: 0, all: [] };
  const isNamed = (wall: number) =>
    minute.values.has(wall % 60) && hour.values.has(Math.floor(wall / 60) % 24);
  const isFixed = !minute.isWild && !hour.isWild;
  const seen = new Set<number>();
  const times: number[] = [];
  for (const [index, wall] of all.entries()) {
    const last = all[index - 1] ?? wall - 1;
    const skipped = Array.from({ length: Math.max(0, wall - last - 1) }, (_, n) => last + 1 + n);
    const isTime = isFixed
      ? (isNamed(wall) && !seen.has(wall)) || skipped.some(isNamed)
      : isNamed(wall);
    if (isTime && index > 180) times.push(start + (index - 180) * MINUTE_MS);
    seen.add(wall);
  }
  return times;
}

describe("[K4] the times of an expression", () => {
  const cases = fc.record({
    window: fc.constantFrom(...WINDOWS),
    minute: fieldsOf(60),
    hour: fieldsOf(24),
    end: fc.nat((2 * DAY_MS) / MINUTE_MS),
  });

  test("are those at which clocks on walls show them, through changes of the hour", () => {
    fc.assert(
      fc.property(cases, ({ window: [zone, from], minute, hour, end }) => {
        const expected = referenceTimes(`${zone} ${from}`, minute, hour);
        const plan = daily(`${minute.text} ${hour.text} * * *`, zone);
        const found: number[] = [];
        const till = Date.parse(from) + 2 * DAY_MS;
        let time = nextAfter(plan, new Date(from));
        // Enough of them to pass the change.
        while (time !== null && time.getTime() <= till && found.length < 150) {
          found.push(time.getTime());
          time = nextAfter(plan, time);
        }
        expect(found).toEqual(expected.slice(0, 150));
        const [first] = expected;
        if (first === undefined) return;
        const before = Date.parse(from) + end * MINUTE_MS;
        const newest = expected.filter((each) => each < before).at(-1) ?? first;
        const start = new Date(first);
        expect(newestBefore(plan, start, new Date(before)).getTime()).toBe(newest);
        const count = Math.min(MAX_MISSED_COUNT, expected.indexOf(newest) + 1);
        expect(countOf(plan, start, new Date(newest))).toBe(count);
      }),
      { numRuns: 25 },
    );
  });
});

describe("[K4] the times of an interval", () => {
  test("are whole intervals after it was planned, wherever one looks from", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: DAY_MS }), fc.nat(10 * DAY_MS), (everyMs, ms) => {
        const plan = placed({ everyMs });
        const time = new Date(plannedAt.getTime() + ms);
        const next = nextAfter(plan, time) as Date;
        expect((next.getTime() - plannedAt.getTime()) % everyMs).toBe(0);
        expect(next.getTime()).toBeGreaterThan(time.getTime());
        expect(next.getTime() - time.getTime()).toBeLessThanOrEqual(everyMs);
        const first = nextAfter(plan, plannedAt) as Date;
        expect(first.getTime()).toBe(plannedAt.getTime() + everyMs);
        const newest = newestBefore(plan, first, next);
        expect(newest.getTime()).toBe(Math.max(first.getTime(), next.getTime() - everyMs));
      }),
    );
  });

  test("begin one interval after it was planned, also where the clock was set back", () => {
    const plan = placed({ everyMs: 5000 });
    const first = nextAfter(plan, new Date(plannedAt.getTime() - DAY_MS));
    expect(first?.getTime()).toBe(plannedAt.getTime() + 5000);
  });

  test("are counted up to a limit", () => {
    const plan = placed({ everyMs: 1000 });
    const first = nextAfter(plan, plannedAt) as Date;
    const last = newestBefore(plan, first, new Date(plannedAt.getTime() + 400 * DAY_MS));
    expect(last.getTime()).toBe(plannedAt.getTime() + 400 * DAY_MS - 1000);
    expect(countOf(plan, first, last)).toBe(MAX_MISSED_COUNT);
    expect(countOf(plan, first, first)).toBe(1);
  });
});

test("[K4] one time is itself, and then there is none", () => {
  const at = new Date("2027-01-01T09:00:00Z");
  const plan = placed({ at });
  expect(nextAfter(plan, plannedAt)).toEqual(at);
  expect(nextAfter(plan, at)).toBeNull();
  expect(newestBefore(plan, at, new Date("2028-01-01T00:00:00Z"))).toEqual(at);
  expect(upcomingOf(plan, at, 5)).toEqual([at]);
  expect(upcomingOf(plan, null, 5)).toEqual([]);
});

const refusal = (when: When): unknown => {
  try {
    return planOf(when);
  } catch (error) {
    const { code, message, issues } = error as AppError;
    return [code, issues[0]?.path[0], message];
  }
};

describe("[K5] what names no times is refused with the field that is at fault", () => {
  test.each([
    ["* * * *", /is no expression of cron/],
    ["0 0 31 2 *", /names no time that ever comes/],
    ["0 0 1 * +MON#5", /names no time that ever comes/],
    ["0 0 1 1 * * 2030", /is no expression of cron/],
    ["2027-01-01T00:00:00", /is a date\. Send it as `at`/],
    ["@reboot", /is no expression of cron/],
    ["\u0000", /is no expression of cron/],
    [`${"1,".repeat(99)}1 * * * x`, /is no expression of cron/],
  ])("cron %j", (cron, text) => {
    expect(refusal({ cron })).toEqual(["BAD_REQUEST", "cron", expect.stringMatching(text)]);
  });

  test.each(["Mars/Phobos", "+03:00", "", "constructor"])("time zone %j", (timeZone) => {
    const text = expect.stringMatching(/is no time zone|is an offset/);
    expect(refusal({ cron: "@daily", timeZone })).toEqual(["BAD_REQUEST", "timeZone", text]);
  });

  test("other spellings of a time zone become one", () => {
    const plan = planOf({ cron: "@daily", timeZone: "eUROPE/stockHOLM" });
    expect(plan.timeZone).toBe("Europe/Stockholm");
    expect(planOf({ cron: "@daily" }).timeZone).toBe("UTC");
  });
});
