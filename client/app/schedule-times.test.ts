import { expect, test } from "vitest";
import { ENTERED_FIRST, timesOf } from "./schedule-times.ts";

test("each way to name times gives its own fields alone", () => {
  expect(timesOf({ ...ENTERED_FIRST, timeZone: "UTC" })).toEqual({
    cron: "0 3 * * *",
    timeZone: "UTC",
  });
  expect(timesOf({ ...ENTERED_FIRST, by: "interval", every: "1.5", unit: "hours" })).toEqual({
    everyMs: 5_400_000,
  });
  expect(timesOf({ ...ENTERED_FIRST, by: "once", at: "2030-07-01T09:00" })).toEqual({
    at: new Date(2030, 6, 1, 9),
  });
});

test.for(["", " ", "0", "-1", "x", "0.0000001"])("an interval of %j is a problem", (every) => {
  expect(timesOf({ ...ENTERED_FIRST, by: "interval", every })).toHaveProperty("problem");
});

test("so is a time that is not entered", () => {
  expect(timesOf({ ...ENTERED_FIRST, by: "once" })).toHaveProperty("problem");
});
