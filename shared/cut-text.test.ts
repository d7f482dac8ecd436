import fc from "fast-check";
import { expect, test } from "vitest";
import { cutText } from "./cut-text.ts";

test("text that fits stays, and a longer one ends with …", () => {
  expect(cutText("bread", 5)).toBe("bread");
  expect(cutText("breads", 5)).toBe("brea…");
  expect(cutText("bre😀ds", 5)).toBe("bre…");
});

test("whatever the text, the result fits, is well-formed, and begins like it", () => {
  const holds = fc.property(
    fc.string({ unit: "binary" }),
    fc.integer({ min: 1, max: 30 }),
    (text, max) => {
      const cut = cutText(text, max);
      if (cut.length > max || !cut.isWellFormed()) return false;
      return text.length <= max ? cut === text.toWellFormed() : cut.endsWith("…");
    },
  );
  expect(() => fc.assert(holds, { numRuns: 2000 })).not.toThrow();
  expect(cutText("a\ud800", 5)).toBe("a\ufffd");
});
