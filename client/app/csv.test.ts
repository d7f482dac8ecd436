import { expect, test } from "vitest";
import { samplesOf } from "./article-form.ts";
import { csvOf, readCsv } from "./csv.ts";

const GOOD = "example.com,https://target.example/page,good anchor";

const linesOf = (text: string) => readCsv(text).rows.map(({ line }) => line);

test("[B1] rows become inputs, with the older system's names of columns", () => {
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

test("[B1] a bad row says on which line it stands and what is wrong, and leaves the others", () => {
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

test("lines are those of the file, over quoted line breaks, blank lines and a byte order mark", () => {
  expect(linesOf(`publisher,target,anchor\n${GOOD}\n\n${GOOD}\n`)).toEqual([2, 4]);
  expect(linesOf(`\uFEFFpublisher,target,anchor\r\n${GOOD}\r\n${GOOD}`)).toEqual([2, 3]);
  const quoted = `publisher,target,anchor\nexample.com,https://t.example,"two\nlines"\n${GOOD}`;
  expect(linesOf(quoted)).toEqual([2, 4]);
});

test("semicolons, tabs and other ways to write the names of columns are understood", () => {
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

test("a column that nobody knows is left alone", () => {
  expect(readCsv(`id,publisher,target,anchor\n7,${GOOD}`).rows[0]?.input).toBeDefined();
});

test.each([
  ["", "empty"],
  ["\n \n", "empty"],
  ["publisher,anchor\nexample.com,x", "Missing: target"],
  ["publisher,target,anchor\n", "no row"],
])("a file that cannot be used says why: %j", (text, why) => {
  expect(readCsv(text)).toEqual({ rows: [], problem: expect.stringContaining(why) });
});

test("a row with more cells than columns is not guessed at", () => {
  const { rows } = readCsv(`publisher,target,anchor\n${GOOD},extra,more`);
  expect(rows[0]).toMatchObject({
    input: undefined,
    errors: { anchorText: "Has 5 cells, but there are 3 columns" },
  });
});

test("the samples make a file that can be used", () => {
  const samples = samplesOf({ host: "jobs.test:8000", origin: "http://jobs.test:8000" });
  const { rows } = readCsv(csvOf(samples));
  expect(rows.map(({ input }) => input?.anchorText)).toEqual(
    samples.map(({ fields }) => fields.anchorText),
  );
});

test("publishers may be pasted as addresses", () => {
  const { rows } = readCsv("publisher,target,anchor\nhttps://example.com/,https://t.example,x\n");
  expect(rows[0]?.input?.publisherDomain).toBe("example.com");
});

test("[B1] a row whose writer this server does not have is a bad row", () => {
  const text = `publisher,target,anchor,llm_provider\n${GOOD},openai\n${GOOD},\n${GOOD},offline\n`;
  expect(readCsv(text, ["offline"]).rows.map(({ errors }) => Object.keys(errors))).toEqual([
    ["llmProvider"],
    [],
    [],
  ]);
  expect(readCsv(text).rows.every(({ input }) => input !== undefined)).toBe(true);
});
