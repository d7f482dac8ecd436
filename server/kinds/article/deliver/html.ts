/** Renders an article as HTML that is safe to embed: text, headings, lists and web links. */
import { Marked } from "marked";
import sanitizeHtml from "sanitize-html";
import { LONGEST_HTML, tooLarge } from "#server/kinds/article/article-limits.ts";
import { ARTICLE_ATTRIBUTES, ARTICLE_TAGS } from "#shared/article/article-html.ts";

export function articleHtml(markdown: string): string {
  const marked = new Marked({ gfm: true });
  let addresses = 0;
  const html = marked.parse(markdown, {
    async: false,
    walkTokens(token) {
      // Each use of a reference repeats its address: a little Markdown can expand to unbounded HTML.
      if ("href" in token && typeof token.href === "string") addresses += token.href.length;
      if (addresses > LONGEST_HTML) throw tooLarge("HTML", LONGEST_HTML);
    },
  });
  return sanitizeHtml(html, {
    allowedTags: ARTICLE_TAGS,
    allowedAttributes: ARTICLE_ATTRIBUTES,
    allowedSchemes: ["http", "https"],
    allowProtocolRelative: false,
    transformTags: { a: sanitizeHtml.simpleTransform("a", { rel: "noopener" }) },
  }).trim();
}
