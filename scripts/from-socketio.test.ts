/** docs/from-socketio.md names a test for each row of the older system's guide. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Row {
  cells: string[];
  path: string;
  title: string;
}

/** The last cell of a row: a path in a code span, a colon, and the title without its rules. */
const NAMED = /^`([\w./-]+\.test\.tsx?)`: (.+)$/;

/** Rows of all tables but their heads; `undefined` for one that names no test. */
function rowsOf(page: string): (Row | undefined)[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (?:there|-+) /.test(line))
    .map((line) => {
      const cells = line
        .slice(1, -1)
        .split(" |")
        .map((cell) => cell.trim());
      const [, path = "", title = ""] = NAMED.exec(cells.at(-1) ?? "") ?? [];
      return path === "" ? undefined : { cells, path, title };
    });
}

function isTitle(source: string, title: string): boolean {
  return new RegExp(`(["'\`])(?:\\[\\w+\\] )*${RegExp.escape(title)}\\1`).test(source);
}

const rows = rowsOf(readFileSync("docs/from-socketio.md", "utf8"));

test("each row of the page says what was there, what is here, and which test shows it", () => {
  expect(rows.length).toBeGreaterThan(70);
  const incomplete = rows.filter((row) => row?.cells.length !== 3 || row.cells.includes(""));
  expect(incomplete).toEqual([]);
});

test("each test that the page names exists", () => {
  const missing = rows.filter(
    (row) =>
      row !== undefined &&
      !(existsSync(row.path) && isTitle(readFileSync(row.path, "utf8"), row.title)),
  );
  expect(missing).toEqual([]);
});

test("a title counts with its rules before it, and only as a whole", () => {
  const source = 'test("[L1] [S2] a job ends", run); test.each(a)(`"b" begins`, run);';
  expect(isTitle(source, "a job ends")).toBe(true);
  expect(isTitle(source, '"b" begins')).toBe(true);
  expect(isTitle(source, "a job")).toBe(false);
  expect(isTitle(source, "job ends")).toBe(false);
  expect(rowsOf("| there | here | x |\n| --- | --- | --- |\n| a | b | c |")).toEqual([undefined]);
});
