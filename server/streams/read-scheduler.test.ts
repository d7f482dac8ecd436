import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ReadScheduler } from "./read-scheduler.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A scheduler whose reads end by hand. */
function schedule(minIntervalMs: number) {
  const reads: PromiseWithResolvers<void>[] = [];
  const scheduler = new ReadScheduler(() => {
    const read = Promise.withResolvers<void>();
    reads.push(read);
    return read.promise;
  }, minIntervalMs);
  const end = async (): Promise<void> => {
    reads.at(-1)?.resolve();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { scheduler, end, count: () => reads.length };
}

test("a request of an idle scheduler begins a read at once", async () => {
  const { scheduler, end, count } = schedule(0);
  expect(scheduler.isReading()).toBe(false);
  scheduler.request();
  expect([count(), scheduler.isReading()]).toEqual([1, true]);
  await end();
  expect(scheduler.isReading()).toBe(false);
  scheduler.request();
  expect(count()).toBe(2);
});

test("all requests during a read are coalesced into one read after it", async () => {
  const { scheduler, end, count } = schedule(0);
  scheduler.request();
  scheduler.request();
  scheduler.request();
  expect([count(), scheduler.isReading()]).toEqual([1, true]);
  await end();
  expect([count(), scheduler.isReading()]).toEqual([2, true]);
  await end();
  expect([count(), scheduler.isReading()]).toEqual([2, false]);
});

test("the minimum interval counts from the beginning of the read before", async () => {
  const { scheduler, end, count } = schedule(100);
  scheduler.request();
  await vi.advanceTimersByTimeAsync(60);
  await end();
  scheduler.request();
  scheduler.request();
  expect([count(), scheduler.isReading()]).toEqual([1, false]);
  await vi.advanceTimersByTimeAsync(39);
  expect(count()).toBe(1);
  await vi.advanceTimersByTimeAsync(2);
  expect([count(), scheduler.isReading()]).toEqual([2, true]);
});

test("a request during a read waits for the interval, too", async () => {
  const { scheduler, end, count } = schedule(100);
  scheduler.request();
  scheduler.request();
  await end();
  expect([count(), scheduler.isReading()]).toEqual([1, false]);
  await vi.advanceTimersByTimeAsync(101);
  expect(count()).toBe(2);
});

test("no read begins after close, whether it waits for the interval or for the read before", async () => {
  const waiting = schedule(100);
  waiting.scheduler.request();
  await waiting.end();
  waiting.scheduler.request();
  waiting.scheduler.close();
  expect(vi.getTimerCount()).toBe(0);

  const reading = schedule(0);
  reading.scheduler.request();
  reading.scheduler.request();
  reading.scheduler.close();
  await reading.end();
  reading.scheduler.request();
  expect([waiting.count(), reading.count()]).toEqual([1, 1]);
});
