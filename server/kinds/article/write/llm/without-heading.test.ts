import { expect, test } from "vitest";
import { withoutHeading } from "./without-heading.ts";

test.each<[pieces: string[], out: string]>([
  [["Text ", "goes on.\n", "# here"], "Text goes on.\n# here"],
  [["#", "# Head", "ing\n\nText"], "Text"],
  [["## Heading\n", "\n", "  Text"], "Text"],
  [["\n\n", "Text"], "Text"],
  [["## Only a heading"], ""],
  [["## Only a heading\n"], ""],
  [[], ""],
])("%j comes out as %j", async (pieces, out) => {
  let text = "";
  const filter = withoutHeading(async (piece) => {
    text += piece;
  });
  for (const piece of pieces) await filter(piece);
  expect(text).toBe(out);
});
