/**
 * Checks the references of the documentation: each relative link leads to a file, each anchor to a heading, and each path
 * in a code span to a file of the repository.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { anchorsOf, FENCE } from "./anchors.ts";

/** `[text](target)`, `src="target"` and `srcset="target"`. */
const LINK = /\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"\s]+)"/g;
/** `server/app.ts`, from the root of the repository. Patterns such as `server/engine/<name>/open.ts` do not match. */
const PATH = /`((?:bench|client|deploy|docs|e2e|scripts|server|shared|test)\/[\w./-]*)`/g;
/** A guide tells the reader to write the first; a run of the bench writes the second. */
const WRITTEN_LATER = new Set(["server/kinds/word-count/kind.ts", "bench/results.json"]);
const ABSOLUTE = /^[a-z]+:/;

/** The links of a page that lead nowhere. `read` returns a page's text; `exists` says whether a path is there. */
function deadLinks(
  path: string,
  read: (path: string) => string,
  exists: (path: string) => boolean,
): string[] {
  const links = [...read(path).replaceAll(FENCE, "").matchAll(LINK)];
  return links
    .map(([, markdown, html]) => markdown ?? html ?? "")
    .filter((link) => !ABSOLUTE.test(link))
    .filter((link) => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : normalize(join(dirname(path), file));
      if (!exists(target)) return true;
      return anchor !== undefined && !anchorsOf(read(target)).has(anchor);
    });
}

test("a link to a file or a heading that is not there is found", () => {
  const pages: Record<string, string> = {
    "README.md":
      '[a](docs/a.md) [b](docs/a.md#two-words) [c](#here) [d](docs/no.md) <img src="no.png">\n' +
      "[e](docs/a.md#no) [f](https://example.com/no.md)\n\n## Here\n\n```sh\n[g](no.md)\n```\n",
    "docs/a.md":
      "# Two `words`\n\n## Two words\n\n[h](../README.md#here) [i](#two-words-1) [j](a.txt)\n",
  };
  const read = (path: string) => pages[path] ?? "";
  const exists = (path: string) => path in pages;
  expect(deadLinks("README.md", read, exists)).toEqual(["docs/no.md", "no.png", "docs/a.md#no"]);
  expect(deadLinks("docs/a.md", read, exists)).toEqual(["a.txt"]);
});

const PAGES = globSync("{*.md,docs/**/*.md}");

test.each(PAGES)("every relative link of %s leads to a file and a heading", (path) => {
  expect(deadLinks(path, (page) => readFileSync(page, "utf8"), existsSync)).toEqual([]);
});

test("every page of docs/ is linked from another page", () => {
  const linked = new Set(
    PAGES.flatMap((path) => {
      const links = [...readFileSync(path, "utf8").matchAll(LINK)];
      return links.map(([, link = ""]) => normalize(join(dirname(path), link.split("#")[0] ?? "")));
    }),
  );
  // The README links the folder of decisions.
  const pages = PAGES.filter((path) => dirname(path) === "docs");
  expect(pages.filter((path) => !linked.has(path))).toEqual([]);
});

test.each(PAGES)("every path in a code span of %s exists", (path) => {
  const paths = [...readFileSync(path, "utf8").replaceAll(FENCE, "").matchAll(PATH)];
  const missing = paths
    .map(([, named = ""]) => named)
    .filter((named) => !WRITTEN_LATER.has(named) && !existsSync(named));
  expect(missing).toEqual([]);
});

test("the glossary has each term once", () => {
  const terms = [
    ...readFileSync("docs/glossary.md", "utf8").matchAll(/^\| \*\*([^*]+)\*\* +\|/gm),
  ].map(([, term = ""]) => term);
  expect(terms.length).toBeGreaterThan(50);
  expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([]);
});
