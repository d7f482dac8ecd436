import { expect, test } from "vitest";
import { stripLeadingHeading } from "./strip-leading-heading.ts";

test.each<[pieces: string[], out: string]>([
  [["Text ", "goes on.\n", "# here"], "Text goes on.\n# here"],
  [["#", "# Head", "ing\n\nText"], "Text"],
  [["## Heading\n", "\n", "  Text"], "Text"],
  [["\n\n", "Text"], "Text"],
  [["## Only a heading"], ""],
  [["## Only a heading\n"], ""],
  [[], ""],
])("the pieces %j become %j", async (pieces, out) => {
  let text = "";
  const filter = stripLeadingHeading(async (piece) => {
    text += piece;
  });
  for (const piece of pieces) await filter(piece);
  expect(text).toBe(out);
});
