import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines } from "./deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("each owner is due once, at its time, and no timer remains", () => {
  const deadlines = new Deadlines();
  const due: string[] = [];
  const owner = (name: string) => ({ due: () => void due.push(name) });
  const moved = owner("moved");
  const deleted = owner("deleted");
  deadlines.set(owner("second"), 2000);
  deadlines.set(owner("first"), 1000);
  deadlines.set(moved, 1000);
  deadlines.set(deleted, 1000);
  deadlines.set(moved, 3000);
  deadlines.delete(deleted);
  vi.advanceTimersByTime(999);
  expect(due).toEqual([]);
  vi.advanceTimersByTime(251);
  expect(due).toEqual(["first"]);
  vi.advanceTimersByTime(10_000);
  expect(due).toEqual(["first", "second", "moved"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("an owner may set a new deadline when it is due, and may delete that of another", () => {
  const deadlines = new Deadlines();
  const due: string[] = [];
  const again = {
    due() {
      due.push("again");
      if (due.length < 3) deadlines.set(again, 1000);
    },
  };
  const other = { due: () => void due.push("other") };
  deadlines.set(again, 1000);
  deadlines.set({ due: () => deadlines.delete(other) }, 1000);
  deadlines.set(other, 5000);
  vi.advanceTimersByTime(60_000);
  expect(due).toEqual(["again", "again", "again"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("an owner that sets its deadline again and again cannot put off a look", () => {
  const deadlines = new Deadlines();
  let isDue = false;
  const owner = { due: () => (isDue = true) };
  for (let left = 1000; left > -2000 && !isDue; left -= 100) {
    deadlines.delete(owner);
    deadlines.set(owner, Math.max(0, left));
    vi.advanceTimersByTime(100);
  }
  expect(isDue).toBe(true);
});
