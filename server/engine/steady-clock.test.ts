import { expect, test } from "vitest";
import { createSteadyClock } from "./steady-clock.ts";

test("it begins with the machine's time, and goes on whatever that is set to", () => {
  let wall = 1_000_000;
  let passed = 20;
  const clock = createSteadyClock(
    () => wall,
    () => passed,
  );
  expect(clock()).toBe(1_000_000);
  for (const set of [-60_000, -3_600_000, 3_600_000]) {
    wall += set;
    expect(clock()).toBe(1_000_000);
  }
  passed += 1500.75;
  expect(clock()).toBe(1_001_500);
});
