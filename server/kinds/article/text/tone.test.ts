import { expect, test } from "vitest";
import { toneOf } from "./tone.ts";

test.each([
  ["casual", ["You'll love this!", "It's so easy, and you don't need your wallet!"]],
  ["casual", ["Du kommer att älska din nya cykel!", "Vi hjälper dig!"]],
  [
    "formal",
    [
      "The committee considered the proposal in light of the report that the agency had published in the course of the previous year.",
    ],
  ],
  ["neutral", ["Lettuce grows in the shade.", "Tomatoes need sun."]],
  ["neutral", []],
] as const)("%s: %j", (tone, sentences) => {
  expect(toneOf(sentences)).toBe(tone);
});
