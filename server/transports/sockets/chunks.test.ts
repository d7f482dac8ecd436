import { expect, test } from "vitest";
import { chunksOf, joined } from "./chunks.ts";

const frame = (size: number, fill: number) => Buffer.alloc(size, fill);

test("small frames become one chunk, in order", () => {
  const chunks = chunksOf([frame(2, 1), frame(1, 2), frame(3, 3)]);
  expect(chunks).toEqual([{ bytes: Buffer.from([1, 1, 2, 3, 3, 3]), count: 3 }]);
  expect(chunksOf([])).toEqual([]);
});

test("a chunk that is large enough is closed, and has the count of its entries", () => {
  const sizes = [40_000, 40_000, 200_000, 10, 10];
  const chunks = chunksOf(sizes.map(frame));
  expect(chunks.map(({ count }) => count)).toEqual([2, 1, 2]);
  expect(chunks.map(({ bytes }) => bytes.length)).toEqual([80_000, 200_000, 20]);
});

test("a single frame is not copied", () => {
  const only = frame(5, 7);
  expect(joined([only])).toBe(only);
  expect(chunksOf([only])[0]?.bytes).toBe(only);
});
