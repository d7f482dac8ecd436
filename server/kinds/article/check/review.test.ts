import { expect, test } from "vitest";
import { testArticle, testBrief } from "#test/article/brief.ts";
import { clean } from "#server/kinds/article/text/clean.ts";
import { review } from "./review.ts";

test("control characters and U+FFFD in a model's text, literal or as references, never reach the article", () => {
  const markdown = `${testArticle()}\n\nDirty\x1B[31m \0text\uFFFD, &#x1b;&#55357;&#0;&#xFFFD; and é &#233; &amp;.\n`;
  const { markdown: delivered, html } = review({ markdown, brief: testBrief(), extractive: false });
  expect(delivered).toContain(
    String.raw`Dirty[31m text, \&#x1b;\&#55357;\&#0;\&#xFFFD; and é &#233; &amp;.`,
  );
  expect(html).toContain(
    "Dirty[31m text, &amp;#x1b;&amp;#55357;&amp;#0;&amp;#xFFFD; and é é &amp;.",
  );
  for (const text of [delivered, html]) expect(clean(text)).toBe(text);
});
