import { expect, test } from "vitest";
import { copied } from "./copied.ts";

const SOURCE = "one two three four five six seven eight nine ten";

test.each<[texts: string[], longest: number, share: number]>([
  [["nothing of it"], 0, 0],
  [[], 0, 0],
  [["One, two; three FOUR five!"], 5, 1],
  [["one two three"], 0, 0],
  [["zero one two three four zero"], 4, 4 / 6],
  [["one two three four", "five six seven eight"], 4, 1],
  [["seven eight nine ten one two three four five"], 5, 1],
])("of %j, %i words in a row are copied", (texts, longest, share) => {
  expect(copied(texts, SOURCE, 4)).toEqual({ longest, share });
});

test("the longest of several matches counts", () => {
  expect(copied(["a b c d e"], "a b c x a b c d e", 3)).toEqual({ longest: 5, share: 1 });
});
