import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import { openKeyWatch } from "./key-watch.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A watch of keys that are valid until they are in `over`. */
function openTestWatch() {
  const over = new Set<string>();
  let isAway = false;
  const isValid = vi.fn<(keyHash: string) => Promise<boolean>>(async (keyHash) => {
    if (isAway) throw new AppError("UNAVAILABLE", "Away.");
    return !over.has(keyHash);
  });
  const watch = openKeyWatch(isValid, 4000);
  return { ...watch, over, isValid, setAway: (away: boolean) => void (isAway = away) };
}

test("[P13] the end of a key reaches each that it let in once, and no others", async () => {
  const { onEnd, look, over, close } = openTestWatch();
  const ended: string[] = [];
  for (const name of ["a 1", "a 2", "b"]) {
    onEnd(name.charAt(0), () => ended.push(name));
  }
  onEnd("a", () => ended.push("stopped"))();
  over.add("a");
  look();
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual(["a 1", "a 2"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ended).toEqual(["a 1", "a 2"]);
  close();
});

test("[P13] an end that another process caused is found at the next look", async () => {
  const { onEnd, over, close } = openTestWatch();
  const ended: string[] = [];
  onEnd("a", () => ended.push("a"));
  await vi.advanceTimersByTimeAsync(0);
  over.add("a");
  await vi.advanceTimersByTimeAsync(4000);
  expect(ended).toEqual(["a"]);
  close();
});

test("[P13] a key that ended between its check and the watch is found at once", async () => {
  const { onEnd, over, close } = openTestWatch();
  over.add("a");
  const ended: string[] = [];
  onEnd("a", () => ended.push("a"));
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).toEqual(["a"]);
  close();
});

test("while the keys cannot be read, nothing ends", async () => {
  const { onEnd, over, setAway, close } = openTestWatch();
  const ended: string[] = [];
  onEnd("a", () => ended.push("a"));
  await vi.advanceTimersByTimeAsync(0);
  over.add("a");
  setAway(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(ended).toEqual([]);
  setAway(false);
  await vi.advanceTimersByTimeAsync(4000);
  expect(ended).toEqual(["a"]);
  close();
});

test("many connections of a key cost one look at it, and none is left when they have gone", async () => {
  const { onEnd, isValid, close } = openTestWatch();
  const stops = Array.from({ length: 1000 }, () => onEnd("a", () => undefined));
  await vi.advanceTimersByTimeAsync(4000);
  expect(isValid).toHaveBeenCalledTimes(2);
  for (const stop of stops) stop();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(isValid).toHaveBeenCalledTimes(2);
  close();
  expect(vi.getTimerCount()).toBe(0);
});
