import { expect, test } from "vitest";
import { retryAfterMs } from "./retry-after.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

test.each([
  ["120", 120_000],
  [" 0 ", 0],
  ["1.5", 1500],
  ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
  ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
  ["soon", undefined],
  ["-5x", undefined],
  ["", undefined],
  [null, undefined],
  [undefined, undefined],
])("Retry-After %j is %j milliseconds", (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected);
});
