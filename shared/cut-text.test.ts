import fc from "fast-check";
import { expect, test } from "vitest";
import { beginningOf, cutText } from "./cut-text.ts";

const FAMILY = "👨‍👩‍👧‍👦";
const LONG_GRAPHEME = `a${"\u0301".repeat(5_000_000)}`;

test("text that fits stays, and a longer one ends with …", () => {
  expect(cutText("bread", 5)).toBe("bread");
  expect(cutText("breads", 5)).toBe("brea…");
  expect(cutText("breads", 1)).toBe("…");
  expect(beginningOf("breads", 5)).toBe("bread");
});

test.each([
  ["a surrogate pair", "😀"],
  ["a letter and its accent", "e\u0301"],
  ["an emoji and its skin tone", "👍🏽"],
  ["a flag", "🇸🇪"],
  ["a family", FAMILY],
  ["the jamos of a syllable", "\u1112\u1161\u11ab"],
  ["the end of a line", "\r\n"],
])("a cut keeps %s whole or drops it", (_, grapheme) => {
  const text = `ab${grapheme}${grapheme}cd`;
  const whole = ["a", "ab", `ab${grapheme}`, `ab${grapheme}${grapheme}`];
  for (let max = 1; max < text.length - 1; max += 1) {
    const longest = whole.findLast(({ length }) => length <= max);
    expect(beginningOf(text, max)).toBe(longest);
    expect(cutText(text, max + 1)).toBe(`${longest}…`);
  }
});

test("a grapheme that begins just before the cut of a long text is dropped", () => {
  const before = "x".repeat(1_000_000 - 3);
  expect(beginningOf(`${before}${FAMILY}y`, 1_000_000)).toBe(before);
  expect(cutText(`${before}${FAMILY}y`, 1_000_000)).toBe(`${before}…`);
});

test("a grapheme longer than the limit or the window is cut between code points", () => {
  expect(beginningOf(FAMILY, 4)).toBe("👨\u200d");
  expect(beginningOf(LONG_GRAPHEME, 2_000_000)).toBe(LONG_GRAPHEME.slice(0, 2_000_000));
  expect(beginningOf(`a${"🏽".repeat(2000)}`, 2000)).toBe(`a${"🏽".repeat(999)}`);
});

test("the result for any text fits, is well-formed, and is its longest prefix of whole graphemes", () => {
  const atoms = ["a", " ", "😀", "\u0301", "\u200d", "🏽", "🇸", "👩", "\r\n", "\ud83d", "\ude00"];
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom(...atoms)).map((parts) => parts.join("")),
  );
  const graphemes = new Intl.Segmenter("en");
  const holds = fc.property(text, fc.integer({ min: 1, max: 30 }), (given, max) => {
    const begun = beginningOf(given, max);
    if (begun.length > max || !begun.isWellFormed()) return false;
    const cut = given.length <= max ? begun : `${beginningOf(given, max - 1)}…`;
    if (cutText(given, max) !== cut) return false;
    const ends = Array.from(graphemes.segment(given), ({ index }) => index).concat(given.length);
    const end = ends.findLast((place) => place <= max) ?? 0;
    return end === 0 || begun === given.slice(0, end).toWellFormed();
  });
  expect(() => fc.assert(holds, { numRuns: 2000 })).not.toThrow();
  expect(cutText("a\ud800", 5)).toBe("a\ufffd");
});
