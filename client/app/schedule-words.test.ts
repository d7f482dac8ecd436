import { expect, test } from "vitest";
import { newSchedule } from "#test/engine/builders.ts";
import { optionsOf, whenOf } from "./schedule-words.ts";

test("a schedule says when it creates jobs", () => {
  const times = { cron: null, timeZone: null };
  expect(whenOf(newSchedule())).toBe("0 3 * * * (Europe/Stockholm)");
  expect(whenOf(newSchedule({ ...times, everyMs: 7_200_000 }))).toBe("every 2 h");
  expect(whenOf(newSchedule({ ...times, everyMs: 90_500 }))).toBe("every 90.5 s");
  expect(whenOf(newSchedule({ ...times, at: new Date() }))).toBe("once");
  expect(whenOf(newSchedule(times))).toBe("at times of its own");
});

test("[K10] it says which options its jobs have, and an older server's has none", () => {
  const given = { priority: 0, expiresInMs: 60_000, maxAttempts: 2 };
  expect(optionsOf(newSchedule(given))).toEqual([
    "priority 0",
    "expires after 1 min",
    "at most 2 attempts",
  ]);
  expect(optionsOf(newSchedule({ maxAttempts: 1 }))).toEqual(["at most 1 attempt"]);
  expect(optionsOf(newSchedule())).toEqual([]);
  expect(optionsOf({})).toEqual([]);
});
