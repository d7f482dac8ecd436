import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRequestCoalescer } from "./request-coalescer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("identical reads that are under way or a moment old share one result", async () => {
  const coalescer = createRequestCoalescer<object>();
  const read = vi.fn<() => Promise<object>>(async () => ({}));
  const first = coalescer.get("a", read);
  expect(coalescer.get("a", read)).toBe(first);
  await first;
  expect(coalescer.get("a", read)).toBe(first);
  expect(read).toHaveBeenCalledOnce();
  expect(coalescer.get("b", read)).not.toBe(first);
});

test("a result is kept for 100 ms, however often it is read", async () => {
  const coalescer = createRequestCoalescer<object>();
  const first = coalescer.get("a", async () => ({}));
  await vi.advanceTimersByTimeAsync(99);
  expect(coalescer.get("a", async () => ({}))).toBe(first);
  await vi.advanceTimersByTimeAsync(1);
  expect(vi.getTimerCount()).toBe(0);
  expect(coalescer.get("a", async () => ({}))).not.toBe(first);
});

test("a forgotten read is made anew, and its late result does not replace the new one", async () => {
  const coalescer = createRequestCoalescer<string>();
  const old = Promise.withResolvers<string>();
  const first = coalescer.get("a", () => old.promise);
  coalescer.forget();
  const second = coalescer.get("a", async () => "new");
  old.reject(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  expect(coalescer.get("a", async () => "third")).toBe(second);
  expect(await second).toBe("new");
});

test("a failure and an undefined result are not kept", async () => {
  const coalescer = createRequestCoalescer<string | undefined>();
  await expect(coalescer.get("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await coalescer.get("a", async () => undefined)).toBeUndefined();
  expect(await coalescer.get("a", async () => "there")).toBe("there");
});
