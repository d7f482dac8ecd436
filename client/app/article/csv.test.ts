import { expect, test } from "vitest";
import { samplesOf } from "./form.ts";
import { csvOf, readCsv } from "./csv.ts";

const GOOD = "example.com,https://target.example/page,good anchor";

const linesOf = (text: string) => readCsv(text).rows.map(({ line }) => line);

test("[B1] rows become inputs, under the older system's column names", () => {
  const { rows, problem } = readCsv(
    `publisher,target,anchor,llm_provider,strategy,country\n${GOOD},offline,single_shot,se\n`,
  );
  expect(problem).toBeUndefined();
  expect(rows).toHaveLength(1);
  expect(rows[0]?.input).toEqual({
    publisherDomain: "example.com",
    targetUrl: "https://target.example/page",
    anchorText: "good anchor",
    llmProvider: "offline",
    writingStrategy: "single_shot",
    country: "SE",
  });
});

test("[B1] a bad row reports its line and its errors, and leaves the other rows valid", () => {
  const { rows } = readCsv(`publisher,target,anchor\n${GOOD}\nex ample,ftp://x,\n${GOOD}\n`);
  expect(rows.map(({ input }) => input !== undefined)).toEqual([true, false, true]);
  expect(rows[1]).toMatchObject({
    line: 3,
    errors: {
      publisherDomain: expect.stringContaining("without protocol"),
      targetUrl: expect.stringContaining("http"),
      anchorText: "Is missing",
    },
  });
});

test("line numbers are those of the file, despite quoted line breaks, blank lines and a byte order mark", () => {
  expect(linesOf(`publisher,target,anchor\n${GOOD}\n\n${GOOD}\n`)).toEqual([2, 4]);
  expect(linesOf(`\uFEFFpublisher,target,anchor\r\n${GOOD}\r\n${GOOD}`)).toEqual([2, 3]);
  const quoted = `publisher,target,anchor,note\n${GOOD},"two\nlines"\n${GOOD},`;
  expect(linesOf(quoted)).toEqual([2, 4]);
});

test("semicolons, tabs and other spellings of column names are recognised", () => {
  expect(
    readCsv("publisher;target;anchor\nexample.com;https://t.example;a, b").rows[0]?.input,
  ).toMatchObject({
    anchorText: "a, b",
  });
  const tabs = readCsv(
    "Target URL\tPublisher-Domain\tAnchor Text\nhttps://t.example\texample.com\tx",
  );
  expect(tabs.rows[0]?.input).toMatchObject({ publisherDomain: "example.com" });
});

test("an unknown column is ignored and reported", () => {
  const { rows, ignored } = readCsv(`id,publisher,target,anchor,\n7,${GOOD},`);
  expect(rows[0]?.input).toBeDefined();
  expect(ignored).toEqual(["id"]);
});

test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
  "a column named %s is an unknown column",
  (name) => {
    const { rows, ignored } = readCsv(
      `publisher,${name},target,anchor\n${GOOD.replace(",", ",x,")}`,
    );
    expect(rows[0]).toMatchObject({ errors: {}, input: { anchorText: "good anchor" } });
    expect(ignored).toEqual([name]);
    expect(readCsv(`${name}\nx`).problem).toContain(`Not recognised: “${name}”`);
  },
);

test.each([
  "publisher",
  "publisher_domain",
  "publication_domain",
  "publication_url",
  "Publication Domain",
])("the publisher may stand in a column named %s", (name) => {
  const { rows } = readCsv(`${name}|target|anchor\nhttps://example.com/|https://t.example|a, b; c`);
  expect(rows[0]?.input).toMatchObject({ publisherDomain: "example.com", anchorText: "a, b; c" });
});

test.each(["target", "target_url", "target_page", "link_target_page", "Link-Target Page"])(
  "the target may stand in a column named %s",
  (name) => {
    const { rows } = readCsv(`publisher | ${name} | anchor\nexample.com | https://t.example | x`);
    expect(rows[0]?.input).toMatchObject({ targetUrl: "https://t.example", anchorText: "x" });
  },
);

test.each([
  ["publisher,target,target_page,anchor", "target", "“target”, “target_page”"],
  ["publisher,target,anchor,Anchor Text,anchor", "anchor", "“anchor”, “Anchor Text”, “anchor”"],
  ["publisher,target,anchor,country,COUNTRY", "country", "“country”, “COUNTRY”"],
])("two columns for one field are a problem of the file: %s", (header, field, columns) => {
  expect(readCsv(`${header}\n${GOOD},y,z`)).toEqual({
    rows: [],
    ignored: [],
    problem: `Line 1 has more than one column for the ${field}: ${columns}. Keep one of them.`,
  });
});

test.each([
  ["", "empty"],
  ["\n \n", "empty"],
  ["publisher,anchor\nexample.com,x", "Missing: target"],
  ["publisher,target,anchor\n", "no row"],
  ["\n\nsite;target;anchor\nexample.com;x;y", "Line 3 must name"],
  ["site;target;anchor\nexample.com;x;y", "Missing: publisher. Not recognised: “site”."],
  ['publisher,target,"anchor\nexample.com,https://t.example,x', "Line 1 begins a cell"],
  ['publisher,target,"anchor" text\nexample.com,https://t.example,x', "Line 1 has text after"],
])("an unusable file is reported with its reason: %j", (text, why) => {
  const file = readCsv(text);
  expect(file).toEqual({ rows: [], ignored: [], problem: expect.stringContaining(why) });
});

test("the error of a file that is not CSV stays short", () => {
  const names = Array.from({ length: 500 }, (_, index) => `${"x".repeat(500)}${index}`);
  const { problem } = readCsv(names.join(","));
  expect(problem).toContain("and 490 more.");
  expect(problem?.length).toBeLessThan(1000);
});

test("more text than a batch can hold is refused without being parsed", () => {
  expect(readCsv(`publisher,target,anchor\n${"x".repeat(16 * 1024 * 1024)}`)).toEqual({
    rows: [],
    ignored: [],
    problem: "This is more than 16 MiB of text. Split it into several batches.",
  });
});

test("doubled quotes inside a cell are read, and text after a quoted cell makes a bad row", () => {
  const anchors = ['24" screen', '"24"" screen"', '"planters"', '""', '"24" screen"'];
  const text = anchors.map((anchor) => `example.com,https://t.example,${anchor}\n`).join("");
  const { rows } = readCsv(`publisher,target,anchor\n${text}`);
  expect(rows.map(({ input }) => input?.anchorText)).toEqual([
    '24" screen',
    '24" screen',
    "planters",
    undefined,
    undefined,
  ]);
  expect(rows[3]?.errors).toEqual({ anchorText: "Is missing" });
  expect(rows[4]?.errors).toEqual({
    row: 'Has text after the quote (") that closes a cell. Write a quote inside a cell twice (""), or remove the quotes.',
  });
});

test.each([",", ";", "\t", "|"])("spaces around a quoted cell are dropped: %j", (mark) => {
  const text = [
    `"publisher"${mark} "target"${mark}  "anchor"`,
    `  "example.com" ${mark} "https://t.example" ${mark}  "a${mark} ""b""${mark} "" c" `,
    `example.com${mark}https://t.example${mark}"x${mark} ""${mark} y"`,
  ].join("\n");
  const { rows, problem } = readCsv(text);
  expect(problem).toBeUndefined();
  expect(rows.map(({ input }) => input?.anchorText)).toEqual([
    `a${mark} "b"${mark} " c`,
    `x${mark} "${mark} y`,
  ]);
});

test("a delimiter at the end of rows but not of the header adds no cell", () => {
  const { rows } = readCsv(`publisher;target;anchor\nexample.com;https://t.example;x;\n`);
  expect(rows[0]?.input).toMatchObject({ anchorText: "x" });
  expect(readCsv(`publisher,target,anchor\n${GOOD},,,\n`).rows[0]?.input).toBeDefined();
});

test.each([
  "sep=;\n",
  "sep=;\r\n",
  "SEP=;\n",
  '"sep=;"\n',
  "\uFEFFsep=;\n",
  "sep=,\n",
  "sep=;;;\n",
  '"sep=;";;\n',
])("Excel's sep= line is not a row: %j", (first) => {
  const { rows } = readCsv(`${first}publisher;target;anchor\nexample.com;https://t.example;a, b`);
  expect(rows).toMatchObject([{ line: 3, input: { anchorText: "a, b" } }]);
});

test("blank lines may come before Excel's sep= line", () => {
  const { rows } = readCsv(
    "\n \nsep=;\npublisher;target;anchor\nexample.com;https://t.example;a, b",
  );
  expect(rows).toMatchObject([{ line: 5, input: { anchorText: "a, b" } }]);
});

test("Excel's sep= line may set an unusual delimiter", () => {
  const { rows } = readCsv("sep=^\npublisher^target^anchor\nexample.com^https://t.example^a, b");
  expect(rows).toMatchObject([{ line: 3, input: { anchorText: "a, b" } }]);
});

test("the header determines the delimiter, whatever the rows contain", () => {
  const row = "example.com;https://t.example/1,2,3;a, b, c|d\n";
  const { rows } = readCsv(`publisher;target;anchor\n${row.repeat(3)}`);
  expect(rows.map(({ input }) => input?.anchorText)).toEqual(Array(3).fill("a, b, c|d"));
});

test.each([
  ["\r\n", "\n", "\n"],
  ["\n", "\r\n", "\n"],
  ["\r", "\r", "\r"],
  ["\r", "\n", "\r\n"],
])("rows end at every kind of line break, even mixed: %j %j %j", (...breaks) => {
  const text = breaks.map(
    (end, index) => `${index === 0 ? "publisher,target,anchor" : GOOD}${end}`,
  );
  const { rows } = readCsv(`${text.join("")}ex ample,x,y`);
  expect(rows.map(({ line, input }) => [line, input?.anchorText])).toEqual([
    [2, "good anchor"],
    [3, "good anchor"],
    [4, undefined],
  ]);
});

test.each(["M\uFFFDbel", "M\u0081bel"])(
  "[B1] a cell with undecodable characters makes a bad row: %j",
  (anchor) => {
    const { rows } = readCsv(
      `publisher,target,anchor\nexample.com,https://t.example,${anchor}\n${GOOD}`,
    );
    expect(rows.map(({ line, errors }) => [line, errors])).toEqual([
      [2, { anchorText: expect.stringContaining("Has characters that could not be read") }],
      [3, {}],
    ]);
  },
);

test("the samples make a valid file", () => {
  const samples = samplesOf("http://jobs.test");
  const { rows } = readCsv(csvOf(samples));
  expect(rows.map(({ input }) => input?.anchorText)).toEqual(
    samples.map(({ fields }) => fields.anchorText),
  );
});

test("publishers may be pasted as addresses", () => {
  const { rows } = readCsv("publisher,target,anchor\nhttps://example.com/,https://t.example,x\n");
  expect(rows[0]?.input?.publisherDomain).toBe("example.com");
});

test("[B1] a row that asks for a writer the server does not have is a bad row", () => {
  const text = `publisher,target,anchor,llm_provider\n${GOOD},openai\n${GOOD},\n${GOOD},offline\n`;
  expect(readCsv(text, ["offline"]).rows.map(({ errors }) => Object.keys(errors))).toEqual([
    ["llmProvider"],
    [],
    [],
  ]);
  expect(readCsv(text).rows.every(({ input }) => input !== undefined)).toBe(true);
});
