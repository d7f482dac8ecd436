/**
 * Everything that the HTML of an article may hold: text, headings, lists and links. The server makes it so, and a page
 * that renders it makes sure of it.
 */
export const ARTICLE_TAGS = [
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
];
export const ARTICLE_ATTRIBUTES = { a: ["href", "rel"], ol: ["start"] };
