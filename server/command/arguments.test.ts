import { expect, test } from "vitest";
import { parseDuration, parseEnd, splitScopes } from "./arguments.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const DAY_MS = 86_400_000;

test.each([
  ["30s", 30_000],
  ["15m", 900_000],
  ["12h", 43_200_000],
  ["90d", 90 * DAY_MS],
])("%s is a duration", (text, ms) => {
  expect(parseDuration("--ttl", text)).toBe(ms);
});

test.each(["", "0s", "15", "15 m", "-1d", "1w", "1.5h", "1e3s", "９d"])(
  "%j is no duration, and the error names the option",
  (text) => {
    expect(() => parseDuration("--ttl", text)).toThrow(
      `--ttl must be a duration such as 30s, 15m, 12h or 90d, not "${text}".`,
    );
  },
);

test("a duration of more than ten years is a slip", () => {
  expect(() => parseDuration("--ttl", "3661d")).toThrow("3661d is more than ten years.");
  expect(() => parseEnd("--expires", "999999999d", NOW)).toThrow("is more than ten years");
});

test.each([
  ["1d", "2026-01-02T12:00:00.000Z"],
  ["2027-01-31", "2027-01-31T00:00:00.000Z"],
  ["2027-01-31T18:00:00Z", "2027-01-31T18:00:00.000Z"],
  ["2027-01-31T18:00:00+01:00", "2027-01-31T17:00:00.000Z"],
])("%s is an end", (text, end) => {
  expect(parseEnd("--expires", text, NOW).toISOString()).toBe(end);
});

test.each(["", "never", "2027", "31.01.2027", "2027-02-30", "2027-13-01", "2027-01-31T18:00:00"])(
  "%j is no end",
  (text) => {
    expect(() => parseEnd("--expires", text, NOW)).toThrow("--expires must be a duration");
  },
);

test("scopes stand in several arguments, or in one", () => {
  expect(splitScopes(["jobs:read", "jobs:write, jobs:review", "tenant  admin,"])).toEqual([
    "jobs:read",
    "jobs:write",
    "jobs:review",
    "tenant",
    "admin",
  ]);
});
