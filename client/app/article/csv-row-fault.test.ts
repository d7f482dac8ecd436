import { expect, test } from "vitest";
import { readCsv } from "./csv.ts";

const GOOD = "example.com,https://target.example/page,good anchor";

const joined = (fault: string) => expect.objectContaining({ row: expect.stringContaining(fault) });

test("[B1] a quote that is never closed makes a bad row and not a single valid one", () => {
  const { rows } = readCsv(
    "publisher,target,anchor\n" +
      'a.example,https://t.example,"self-watering planters\n' +
      "b.example,https://t.example,second\nc.example,https://t.example,third\n",
  );
  expect(rows).toEqual([
    {
      line: 2,
      fields: {
        publisherDomain: "a.example",
        targetUrl: "https://t.example",
        anchorText: "self-watering planters",
      },
      input: undefined,
      errors: {
        row: 'Begins a cell with a quote (") that is never closed, so that lines 2 to 4 are read as one row. Close the quote or remove it.',
      },
    },
  ]);
});

test.each([
  // The next row's quotes close the first one, and the parser reports the text that follows.
  ['a.example,https://t.example,"one', 'b.example,https://t.example,"two"', "text after"],
  // The inch mark of the next row closes the quote, and the parser reports nothing.
  [
    'a.example,https://t.example,"one',
    'b.example,https://t.example,screen 24"',
    "a line break in the column “anchor”",
  ],
  // Without http:// the second row cannot be recognised by its target.
  [
    'a.example,https://t.example/1,"one',
    'b.example,t.example/2,two"',
    "a line break in the column",
  ],
])("[B1] a quote closed by a later row makes a bad row: %j %j", (first, second, fault) => {
  const { rows } = readCsv(`publisher,target,anchor\n${first}\n${second}\n${GOOD}\n`);
  expect(rows.map(({ line, input }) => [line, input?.anchorText])).toEqual([
    [2, undefined],
    [4, "good anchor"],
  ]);
  expect(rows[0]?.errors).toEqual(joined(fault));
  expect(rows[0]?.errors).toEqual(joined("lines 2 to 3"));
});

test.each([
  [
    "anchor first",
    "anchor,publisher,target",
    '"one,a.example,https://t.example\ntwo",b.example,https://t.example',
  ],
  [
    "anchor in the middle",
    "publisher,anchor,target",
    'a.example,"one,https://t.example\nb.example,two",https://t.example',
  ],
])("[B1] rows joined by their quotes are found: %s", (_, header, joinedRows) => {
  expect(readCsv(`${header}\n${joinedRows}`).rows).toMatchObject([
    { line: 2, input: undefined, errors: joined("a line break in the column “anchor”") },
  ]);
});

test.each([
  ["publisher", '"a.example\nb.example",https://t.example,x'],
  ["target", 'a.example,"https://t.example\r\nhttps://t.example/2",x'],
])("[B1] a line break in the column %s makes a bad row", (name, text) => {
  expect(readCsv(`publisher,target,anchor\n${text}\n${GOOD}\n`).rows).toMatchObject([
    {
      line: 2,
      input: undefined,
      errors: {
        row: `Has a line break in the column “${name}”, so that lines 2 to 3 are read as one row. Close each quote (") in its own line, or remove the line break.`,
      },
    },
    { line: 4, errors: {} },
  ]);
});

test.each([
  "see\nhttps://docs.example",
  "one, two,\nhttps://docs.example, three, four",
  "a.example,https://t.example,before any line break\n",
])("an unused column may have line breaks: %j", (note) => {
  const { rows } = readCsv(`publisher,target,anchor,note\n${GOOD},"${note}"\n${GOOD},\n`);
  expect(rows.map(({ errors, input }) => [errors, input?.anchorText])).toEqual([
    [{}, "good anchor"],
    [{}, "good anchor"],
  ]);
});

test("[B1] a row swallowed by a cell of an unused column is reported", () => {
  const { rows } = readCsv(`publisher,target,anchor,note\n${GOOD},"see\n${GOOD},see"\n${GOOD},x\n`);
  expect(rows.map(({ line }) => line)).toEqual([2, 4]);
  expect(rows[0]?.errors).toEqual(joined("holds another row, so that lines 2 to 3"));
  expect(readCsv(`publisher,target,anchor,"note\n${GOOD},see"\n${GOOD},x\n`).problem).toBe(
    'Line 1 has a cell in quotes (") that holds another row, so that lines 1 to 2 are read as one row. Close each quote in its own line, or remove it.',
  );
});

test.each([
  ["publisher,target,anchor,", "example.com,https://t.example,one, two", "two", 4],
  ["publisher,target,,anchor", "example.com,https://t.example,one,two", "one", 3],
  [",publisher,target,anchor", "x,example.com,https://t.example,one", "x", 1],
])("[B1] text below an unnamed column makes a bad row: %s", (header, row, text, column) => {
  expect(readCsv(`${header}\n${row}`).rows).toMatchObject([
    {
      input: undefined,
      errors: {
        row: `Has “${text}” in column ${column}, which has no name. Put a cell with "," in it in quotes, or name the column.`,
      },
    },
  ]);
});

test("row numbers in an unnamed first column are ignored, as pandas writes them", () => {
  const { rows, ignored } = readCsv(`,publisher,target,anchor\n0,${GOOD}\n1,${GOOD}\n`);
  expect(rows.map(({ errors }) => errors)).toEqual([{}, {}]);
  expect(ignored).toEqual([]);
});

test("a row with more cells than columns is a bad row", () => {
  const { rows } = readCsv(`publisher,target,anchor\n${GOOD},extra,more`);
  expect(rows[0]).toMatchObject({
    input: undefined,
    errors: {
      row: 'Has 5 cells, but there are 3 columns. Put a cell with "," in it in quotes.',
    },
  });
  const tabs = readCsv("publisher\ttarget\tanchor\nexample.com\thttps://t.example\tx\ty");
  expect(tabs.rows[0]?.errors).toEqual({
    row: "Has 4 cells, but there are 3 columns. Put a cell with a tab in it in quotes.",
  });
});
