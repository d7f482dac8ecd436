/** The article as HTML that is safe to put into a page: text, headings, lists and web links, nothing else. */
import { Marked } from "marked";
import sanitizeHtml from "sanitize-html";

export function articleHtml(markdown: string): string {
  const html = new Marked({ gfm: true }).parse(markdown, { async: false });
  return sanitizeHtml(html, {
    allowedTags: [
      "a",
      "blockquote",
      "br",
      "code",
      "em",
      "h1",
      "h2",
      "h3",
      "h4",
      "hr",
      "li",
      "ol",
      "p",
      "pre",
      "strong",
      "ul",
    ],
    allowedAttributes: { a: ["href", "rel"], ol: ["start"] },
    allowedSchemes: ["http", "https"],
    allowProtocolRelative: false,
    transformTags: { a: sanitizeHtml.simpleTransform("a", { rel: "noopener" }) },
  }).trim();
}
