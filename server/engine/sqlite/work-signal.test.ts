import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSteadyClock } from "#server/engine/steady-clock.ts";
import { openWorkSignal } from "./work-signal.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const DAY_MS = 24 * 60 * 60 * 1000;

/** A queue whose due times are given. */
function signalOf(due: number[]) {
  const nextDue = (after: number) => due.toSorted((a, b) => a - b).find((time) => time > after);
  return openWorkSignal(nextDue, Date.now);
}

test("it calls at each due time, not before", () => {
  const times: number[] = [];
  const signal = signalOf([100, 250]);
  signal.on(() => times.push(Date.now()));
  vi.advanceTimersByTime(99);
  expect(times).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(times).toEqual([100, 250]);
  expect(vi.getTimerCount()).toBe(0);
});

test("it calls on time when the machine's clock is set back meanwhile", () => {
  const work = vi.fn<() => void>();
  const clock = createSteadyClock();
  const signal = openWorkSignal((after) => (after < 100 ? 100 : undefined), clock);
  signal.on(work);
  vi.setSystemTime(-3_600_000);
  vi.advanceTimersByTime(99);
  expect(work).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(work).toHaveBeenCalledOnce();
});

test("a due time that a timer cannot hold is waited for in parts", () => {
  const work = vi.fn<() => void>();
  const signal = signalOf([60 * DAY_MS]);
  signal.on(work);
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(work).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(work).toHaveBeenCalledOnce();
});

test("listeners hear of work that came due before they listened, or while it was being stored", () => {
  const due = [50];
  const work = vi.fn<() => void>();
  const signal = signalOf(due);
  vi.advanceTimersByTime(60);
  signal.on(work);
  vi.advanceTimersByTime(0);
  expect(work).toHaveBeenCalledOnce();
  due.push(70);
  vi.advanceTimersByTime(20);
  signal.rearm();
  vi.advanceTimersByTime(1000);
  expect(work).toHaveBeenCalledTimes(2);
  expect(vi.getTimerCount()).toBe(0);
});

test("a queue that cannot be read is looked at again soon", () => {
  const work = vi.fn<() => void>();
  let broken = true;
  const signal = openWorkSignal((after) => {
    if (broken) throw new Error("disk I/O error");
    return after < 5000 ? 5000 : undefined;
  }, Date.now);
  signal.on(work);
  broken = false;
  vi.advanceTimersByTime(4999);
  work.mockClear();
  vi.advanceTimersByTime(1);
  expect(work).toHaveBeenCalledOnce();
});

test("one that listens anew while it is called is called once", () => {
  let calls = 0;
  const signal = signalOf([]);
  const listenAnew = (): void => {
    const end = signal.on(() => {
      calls += 1;
      end();
      if (calls < 100) listenAnew();
    });
  };
  listenAnew();
  signal.fire();
  expect(calls).toBe(1);
  signal.fire();
  expect(calls).toBe(2);
});

test("no timer without listeners; no timer and no call after close", () => {
  const work = vi.fn<() => void>();
  const signal = signalOf([100]);
  signal.rearm();
  expect(vi.getTimerCount()).toBe(0);
  signal.on(work);
  expect(vi.getTimerCount()).toBe(1);
  signal.close();
  signal.fire();
  vi.advanceTimersByTime(1000);
  expect(work).not.toHaveBeenCalled();
});

test("one listener's fault does not keep the others from their work", () => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  const work = vi.fn<() => void>();
  const signal = signalOf([]);
  signal.on(() => {
    throw new Error("no hands");
  });
  signal.on(work);
  signal.fire();
  expect(work).toHaveBeenCalledOnce();
  expect(warn).toHaveBeenCalledWith(new Error("no hands"));
  warn.mockRestore();
});
