import fc from "fast-check";
import { expect, test } from "vitest";
import { EntryWindow, isTruncated } from "./entry-window.ts";
import type { Slice } from "./source.ts";

const CAPACITY = 10;

/** A read of a log of `head` entries, each with its position as its value. */
function read(head: number, after: number, limit: number, ended = false): Slice<number> {
  const count = Math.max(0, Math.min(limit, head - after));
  const entries = Array.from({ length: count }, (_, index) => {
    return { pos: after + index + 1, value: after + index + 1 };
  });
  return { entries, head, ended };
}

const positions = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index + 1);

test("[S2] [S5] a slice is everything after its cursor, however reads overlap, or undefined", () => {
  const step = fc.record({
    kind: fc.constantFrom("append", "prepend"),
    growth: fc.nat(15),
    back: fc.nat(5),
    limit: fc.integer({ min: 1, max: 15 }),
  });
  fc.assert(
    fc.property(fc.nat(30), fc.array(step), fc.nat(4), (start, steps, heavy) => {
      const weigh = (value: number) => 1 + (value % (heavy + 1));
      const window = new EntryWindow<number>(CAPACITY, weigh);
      let head = start;
      window.reset({ ...read(head, head, 1), entries: [] });
      for (const { kind, growth, back, limit } of steps) {
        head += growth;
        const before = window.head;
        const isAppend = kind === "append";
        const from = Math.max(0, before - (isAppend ? back : CAPACITY));
        const slice = read(head, from, isAppend ? limit : CAPACITY);
        const changed = isAppend ? window.append(slice) : window.prepend(from, slice);
        expect(window.head).toBe(Math.max(before, slice.entries.at(-1)?.pos ?? before));
        expect(changed).toBe(window.head > before);
        expect(window.head).toBeLessThanOrEqual(head);
        for (let cursor = 0; cursor <= window.head; cursor++) {
          const slice = window.since(cursor);
          if (slice === undefined) continue;
          expect(slice.head).toBe(window.head);
          expect(slice.entries.map(({ pos }) => pos)).toEqual(positions(cursor, window.head));
          const weight = slice.entries.reduce((sum, { value }) => sum + weigh(value), 0);
          expect(weight).toBeLessThanOrEqual(CAPACITY);
        }
        expect(window.since(window.head)?.entries).toEqual([]);
      }
    }),
  );
});

test("watches with the same cursor get the same slice until the window changes", () => {
  const window = new EntryWindow<number>(CAPACITY);
  window.append(read(3, 0, 10));
  const slice = window.since(1);
  expect(window.since(1)).toBe(slice);
  window.append(read(4, 3, 10));
  expect(window.since(1)).not.toBe(slice);
});

test("[S10] a slice is ended only where the newest entry of the log is in it", () => {
  const window = new EntryWindow<number>(CAPACITY);
  expect(window.append(read(5, 0, 3, true))).toBe(true);
  expect(window.since(0)).toMatchObject({ head: 3, ended: false });
  window.append(read(5, 3, 3, true));
  expect(window.since(0)).toMatchObject({ head: 5, ended: true });
  window.reset(read(9, 5, 2, true));
  expect(window.since(7)).toMatchObject({ head: 7, ended: false });
});

test("a stale read changes nothing", () => {
  const window = new EntryWindow<number>(CAPACITY);
  window.append(read(5, 0, 10));
  expect(window.append(read(3, 0, 10))).toBe(false);
  expect(window.prepend(0, read(0, 0, 10))).toBe(false);
  window.reset(read(20, 19, 1));
  expect(window.prepend(0, read(5, 0, 10))).toBe(false);
  expect([window.head, window.since(19)]).toEqual([20, undefined]);
});

test("[S8] a log is truncated where it is shorter, or has another entry at the known head", () => {
  const known = { pos: 3, value: 3 };
  expect(isTruncated(read(2, 2, 10), 3, known)).toBe(true);
  expect(isTruncated(read(5, 2, 10), 3, { pos: 3, value: 33 })).toBe(true);
  expect(isTruncated(read(5, 2, 10), 3, known)).toBe(false);
  expect(isTruncated(read(5, 2, 10), 3, undefined)).toBe(false);
});

test("a window that dropped entries for their weight is not extended to those again, until it starts anew", () => {
  const window = new EntryWindow<number>(CAPACITY, () => 4);
  window.reset(read(20, 20, 1));
  expect(window.startsShortlyAfter(15)).toBe(true);
  expect(window.prepend(10, read(20, 10, CAPACITY))).toBe(false);
  expect(window.since(18)?.entries.map(({ pos }) => pos)).toEqual([19, 20]);
  expect(window.since(17)).toBeUndefined();
  expect(window.startsShortlyAfter(15)).toBe(false);
  window.reset(read(20, 20, 1));
  expect(window.startsShortlyAfter(15)).toBe(true);
});
