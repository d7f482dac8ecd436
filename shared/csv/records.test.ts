import fc from "fast-check";
import Papa from "papaparse";
import { expect, test } from "vitest";
import { readRecords } from "./records.ts";

const NAMES = ["one", "two", "three"];
const cellsOf = (text: string) =>
  readRecords(text, (name) => NAMES.includes(name)).records.map(({ cells }) => cells);

const delimiter = fc.constantFrom(",", ";", "\t", "|");
const cell = fc
  .string({ unit: fc.constantFrom("a", '"', " ", "\n", ",", ";", "\t", "|", "ö"), maxLength: 8 })
  .map((text) => text.trim());

test("every written table is read back, with or without spaces before the quotes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constant("x"), cell, cell), { maxLength: 5 }),
      delimiter,
      fc.constantFrom("", " ", "  "),
      fc.constantFrom("\n", "\r\n"),
      (rows, mark, spaces, newline) => {
        const quoted = Papa.unparse([NAMES, ...rows], { delimiter: mark, newline, quotes: true });
        const lines = quoted.replaceAll(`"${mark}"`, `"${mark}${spaces}"`);
        // Spaces are added between cells only, so cells that contain the delimiter themselves are excluded.
        fc.pre(rows.flat().every((text) => !text.includes(mark) || spaces === ""));
        expect(cellsOf(lines)).toEqual([NAMES, ...rows]);
      },
    ),
    { numRuns: 500 },
  );
});

test("text without spaces before quotes is split exactly as by the parser", () => {
  const unit = fc.constantFrom('"', ",", "\n", "a", " ");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
      fc.pre(!/(?:^|[,\n]) +"/.test(text));
      const source = `one,two,three\n${text}`.trimEnd();
      const { data } = Papa.parse<string[]>(`${source}\n`, { delimiter: ",", newline: "\n" });
      const trimmed = data.map((cells) => cells.map((value) => value.trim()));
      expect(cellsOf(source)).toEqual(trimmed.filter((cells) => cells.some((value) => value)));
    }),
    { numRuns: 2000 },
  );
});

test("cells of millions of quotes or spaces are read", () => {
  const many = 1_000_000;
  for (const text of ['"'.repeat(2 * many), '"a'.repeat(many), `${" ".repeat(many)}"x`]) {
    expect(cellsOf(`one,two,three\n${text}`)).toHaveLength(2);
  }
});
