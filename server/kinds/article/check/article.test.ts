import fc from "fast-check";
import { expect, test } from "vitest";
import { articleMarkdown, paragraphsOf, parseArticle, proseOf, titleOf } from "./article.ts";

const TEXT = `# The *title*

First with a [link](https://a.example "tip") and \`code\`.

## Heading
> Quoted words.

- one
- two [x](https://b.example)

<div>html</div>

![image](i.png)

***
`;

test("an article is parsed into blocks whose text has no markup", () => {
  const article = parseArticle(TEXT);
  expect(titleOf(article)).toBe("The title");
  expect(paragraphsOf(article)[0]).toMatchObject({
    text: "First with a link and code.",
    links: [{ href: "https://a.example", text: "link", offset: 13 }],
  });
  expect(proseOf(article)).toContain("one\ntwo x");
  expect(proseOf(article)).not.toContain("html");
  expect(article.blocks.flatMap(({ links }) => links).map(({ href }) => href)).toEqual([
    "https://a.example",
    "https://b.example",
  ]);
});

test("concatenating the blocks gives back any Markdown", () => {
  const markdown = fc.string({
    unit: fc.constantFrom(..."ab #*_-[]()>`1.\n\n ".split(""), "\n\n", "http://a.example"),
    maxLength: 60,
  });
  fc.assert(
    fc.property(markdown, (text) => {
      const again = articleMarkdown(parseArticle(text));
      expect(articleMarkdown(parseArticle(again))).toBe(again);
      expect(again.replaceAll(/\s/g, "")).toBe(text.replaceAll(/\s/g, ""));
    }),
  );
});
