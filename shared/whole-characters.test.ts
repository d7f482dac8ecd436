import { expect, test } from "vitest";
import { createWholeCharacters } from "./whole-characters.ts";

test.each([
  [["a🌱b"], ["a🌱b"]],
  [
    ["a\uD83C", "\uDF31b"],
    ["a", "🌱b"],
  ],
  [
    ["a\uD83C", "b"],
    ["a", "\uFFFDb"],
  ],
  [
    ["\uDF31", "\uD83C"],
    ["\uFFFD", ""],
  ],
])("pieces %j become %j", (pieces, whole) => {
  expect(pieces.map(createWholeCharacters())).toEqual(whole);
});
