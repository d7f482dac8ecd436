import fc from "fast-check";
import { expect, test } from "vitest";
import { draftParts } from "./draft-parts.ts";

const read = (draft: string) => draftParts(draft).map(({ type, text }) => `${type}: ${text}`);

test("headings and links are shown without their markup", () => {
  const draft = "# On water\n\nUse [planters](https://a.example/b) at home.\n\n### Why\nIt saves.";
  expect(read(draft)).toEqual([
    "heading: On water",
    "plain: \n\nUse ",
    "link: planters",
    "plain:  at home.\n\n",
    "heading: Why",
    "plain: \nIt saves.",
  ]);
  expect(read("## See [planters](https://a.example/)")).toEqual(["heading: See planters"]);
});

test("a link with an unfinished address shows its text alone", () => {
  expect(read("Use [planters](https://a.exa")).toEqual(["plain: Use ", "link: planters"]);
  expect(read("Use [plan")).toEqual(["plain: Use [plan"]);
  expect(read("Use [a](b\nand more")).toEqual(["plain: Use [a](b\nand more"]);
});

test("text that only begins like a heading is not a heading", () => {
  expect(read("#1 of all")).toEqual(["plain: #1 of all"]);
  expect(read("[a](b)#c")).toEqual(["link: a", "plain: #c"]);
});

test("the parts of any prefix of a draft concatenate to that prefix", () => {
  const piece = fc.constantFrom("#", "## ", "[", "](", ")", "\n", " ", "word", "https://a.example");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const draft = pieces.join("");
      expect(
        draftParts(draft)
          .map(({ raw }) => raw)
          .join(""),
      ).toBe(draft);
    }),
  );
});
