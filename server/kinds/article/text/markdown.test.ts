import fc from "fast-check";
import { expect, test } from "vitest";
import { parseArticle } from "#server/kinds/article/check/article.ts";
import { escapeMarkdown, markdownLink } from "./markdown.ts";

test.each([
  "# no heading",
  "1. no list",
  "- no list",
  "> no quotation",
  "*no* _emphasis_",
  "[no](http://link.example)",
  "<b>no tag</b>",
  "`no code`",
  "~~no~~",
  "a | b",
  "&lt;no entity&gt;",
  "https://no.example/link",
  "www.no.example",
  "no@mail.example",
  "+ no list",
  "=== no heading",
  "![no](image.png)",
  "\\ a backslash",
  "***",
  "---",
])("text is shown as it is: %j", (text) => {
  const [block, ...others] = parseArticle(escapeMarkdown(text)).blocks;
  expect(others).toEqual([]);
  expect(block).toMatchObject({ kind: "paragraph", text, links: [] });
});

test("any text becomes one paragraph with the same text and without a link", () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      ..."ab 1.)#*_-+=[](){}<>!|~`\\&;:/@'\"$^%, \n".split(""),
      "http://",
      "www.",
      "&amp;",
      "åä",
    ),
    maxLength: 30,
  });
  fc.assert(
    fc.property(nasty, (text) => {
      const shown = text.replaceAll(/\s+/g, " ").trim();
      const { blocks } = parseArticle(escapeMarkdown(text));
      expect(blocks.map((block) => [block.kind, block.text, block.links])).toEqual(
        shown === "" ? [] : [["paragraph", shown, []]],
      );
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["self-watering planters", "https://a.example/x_(y)?q=1&r=2"],
  ["brackets ] ( [ in *it*", "https://a.example/"],
])("a link keeps its text and its address: %s", (text, url) => {
  const [block] = parseArticle(markdownLink(text, url)).blocks;
  const href = url.replaceAll("(", "%28").replaceAll(")", "%29");
  expect(block?.links).toMatchObject([{ text, href }]);
});
