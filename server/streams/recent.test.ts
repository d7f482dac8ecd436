import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRecent } from "./recent.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("who asks for the same while it is read, or a moment later, is given the same", async () => {
  const recent = createRecent<object>();
  const read = vi.fn<() => Promise<object>>(async () => ({}));
  const first = recent.get("a", read);
  expect(recent.get("a", read)).toBe(first);
  await first;
  expect(recent.get("a", read)).toBe(first);
  expect(read).toHaveBeenCalledOnce();
  expect(recent.get("b", read)).not.toBe(first);
});

test("it is kept for a moment only, asked for or not", async () => {
  const recent = createRecent<object>();
  const first = recent.get("a", async () => ({}));
  await vi.advanceTimersByTimeAsync(99);
  expect(recent.get("a", async () => ({}))).toBe(first);
  await vi.advanceTimersByTimeAsync(1);
  expect(vi.getTimerCount()).toBe(0);
  expect(recent.get("a", async () => ({}))).not.toBe(first);
});

test("what was forgotten is read anew, and a late result of it is not taken for the new one", async () => {
  const recent = createRecent<string>();
  const old = Promise.withResolvers<string>();
  const first = recent.get("a", () => old.promise);
  recent.forget();
  const second = recent.get("a", async () => "new");
  old.reject(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  expect(recent.get("a", async () => "third")).toBe(second);
  expect(await second).toBe("new");
});

test("a failure, and what is not there, is asked for again by the next", async () => {
  const recent = createRecent<string | undefined>();
  await expect(recent.get("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await recent.get("a", async () => undefined)).toBeUndefined();
  expect(await recent.get("a", async () => "there")).toBe("there");
});
