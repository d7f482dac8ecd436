import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonShape } from "./json-shape.ts";

test.each([
  ["", 0, 1, 1],
  ["5", 0, 1, 1],
  ["[]", 1, 1, 2],
  ["[1,2,3]", 1, 3, 4],
  ['{"a":[1,2],"b":{"c":[]}}', 3, 2, 7],
  [String.raw`["[[,,[", "\"]],{", "\\", {}]`, 2, 4, 6],
  ['["never ends, [[', 1, 1, 2],
  ["]]]][[", 0, 1, 3],
])("%s is %d deep and holds %d items, %d values in all", (text, depth, items, values) => {
  expect(jsonShape(text, 100)).toEqual({ depth, items, values });
});

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test("[H4] a text deeper than the limit is distinguished from one at the limit", () => {
  expect(jsonShape(nested(200), 200).depth).toBe(200);
  expect(jsonShape(nested(201), 200).depth).toBe(201);
  expect(jsonShape(nested(1_000_000), 200).depth).toBe(201);
});

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test("[H4] the shape of a text is that of its parsed value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
      const { depth, items } = jsonShape(JSON.stringify(value), 100);
      expect(depth).toBe(depthOf(value));
      const size = typeof value === "object" && value !== null ? Object.keys(value).length : 0;
      expect(items).toBe(Math.max(1, size));
    }),
  );
});
