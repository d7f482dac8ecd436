import fc from "fast-check";
import { expect, test } from "vitest";
import { beginningOf, cutText } from "./cut.ts";

test("a text that fits stays as it is, and a longer one ends in an ellipsis", () => {
  expect(cutText("garden", 6)).toBe("garden");
  expect(cutText("gardens", 6)).toBe("garde…");
  expect(beginningOf("gardens", 6)).toBe("garden");
});

test("no character is cut in two", () => {
  expect(cutText("ab🌱c", 4)).toBe("ab…");
  expect(beginningOf("ab🌱", 3)).toBe("ab");
});

test("any text is cut to well-formed Unicode within its length, and begins as before", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 2, max: 20 }), (text, most) => {
      for (const cut of [cutText(text, most), beginningOf(text, most)]) {
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut.isWellFormed()).toBe(true);
        expect(text.toWellFormed().startsWith(cut.replace(/…$/, ""))).toBe(true);
      }
    }),
  );
});
