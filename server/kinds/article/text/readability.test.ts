import { expect, test } from "vitest";
import { flesch, lix } from "./readability.ts";

test("LIX is words per sentence plus the percentage of words longer than six letters", () => {
  expect(lix("Katten sover gott. Hunden betraktar den.")).toBeCloseTo(3 + 100 / 6);
});

test("Flesch falls with longer sentences and longer words", () => {
  const easy = "The cat sat on the mat. The dog ran to the door.";
  const hard =
    "Institutional considerations regarding environmental responsibility necessitate comprehensive administrative documentation throughout organisations.";
  expect(flesch(easy)).toBeGreaterThan(90);
  expect(flesch(hard)).toBeLessThan(0);
});

test("an empty text has no score", () => {
  expect(lix("")).toBe(0);
  expect(flesch("…")).toBe(0);
});
