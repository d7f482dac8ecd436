import { expect, test } from "vitest";
import { checkBounds, constantsIn } from "./check-bounds.ts";

const table = (...rows: string[]) => `<!-- bounds -->\n${rows.join("\n")}\n<!-- /bounds -->`;

test("numbers with units match the code, and a row that differs or names an unknown constant is reported", () => {
  const values = constantsIn([
    "const MAX_BYTES = 256 * 1024;\nexport const MAX_CALLS = 1_000;",
    "const WAIT_MS = 10_000;",
  ]);
  const spec = table(
    "| input | 256 KiB      | `MAX_BYTES` | refused |",
    "| calls | 1,000 a time | `MAX_CALLS` | refused |",
    "| wait  | 10 s         | `WAIT_MS`   | refused |",
    "| calls | 500          | `MAX_CALLS` | refused |",
    "| other | 5            | `MAX_OTHER` | refused |",
  );
  expect(checkBounds(spec, values)).toEqual({
    rows: 5,
    faults: [
      "MAX_CALLS is 1000 in the code, but the table of bounds says 500.",
      "MAX_OTHER is in the table of bounds, but not in the code.",
    ],
  });
});

test("rows outside of the markers are ignored", () => {
  expect(checkBounds(`| x | 5 | \`MAX_X\` | y |\n${table()}`, new Map())).toEqual({
    rows: 0,
    faults: [],
  });
});

test("a limit of the code without a row is reported", () => {
  const values = constantsIn(["const MAX_BYTES = 5;", "const MAX_CALLS = 7;"]);
  const spec = table("| input | 5 | `MAX_BYTES` | refused |");
  expect(checkBounds(spec, values, values.keys())).toEqual({
    rows: 1,
    faults: ["MAX_CALLS is in the code, but not in the table of bounds."],
  });
});
