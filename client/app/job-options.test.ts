import { expect, test } from "vitest";
import { MAX_START_DELAY_MS } from "#shared/limits.ts";
import { NO_OPTIONS, readOptions } from "./job-options.ts";

const NOW = new Date("2026-12-01T14:00").getTime();

test("[J21] empty fields make no option, and others what they say, in the person's time zone", () => {
  expect(readOptions(NO_OPTIONS, NOW)).toEqual({ options: {} });
  const texts = { priority: "7", start: "2026-12-01T15:30", expires: "90", attempts: " 3 " };
  expect(readOptions(texts, NOW)).toEqual({
    options: {
      priority: 7,
      runAt: new Date(2026, 11, 1, 15, 30),
      expiresInMs: 5_400_000,
      maxAttempts: 3,
    },
  });
});

test.each([
  ["start", "soon", "Is no date with a time"],
  ["start", new Date(NOW + MAX_START_DELAY_MS + 86_400_000).toISOString(), "Must be within a year"],
  ["expires", "0", "Must be a whole number from 1 to 527040"],
  ["expires", "1.5", "Must be a whole number from 1 to 527040"],
  ["attempts", "101", "Must be a whole number from 1 to 100"],
  ["attempts", "many", "Must be a whole number from 1 to 100"],
] as const)("[J25] the field %s refuses %j", (field, text, error) => {
  const read = readOptions({ ...NO_OPTIONS, [field]: text }, NOW);
  expect(read).toEqual({ errors: { [field]: error } });
});
