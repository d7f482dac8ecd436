/** Parses HTML into a DOM that has a head and a body, whatever the page left out. Runs nothing, loads nothing. */
import { parseHTML } from "linkedom";

const HEAD_TAGS = new Set(["BASE", "LINK", "META", "SCRIPT", "STYLE", "TITLE"]);

export function parseDocument(html: string): Document {
  const whole = /<html[\s>]/i.test(html)
    ? html
    : `<!doctype html><html><body>${html}</body></html>`;
  const { document } = parseHTML(whole);
  // The parser leaves what stands outside of head and body where it found it; browsers move it in.
  // A copy, because appending moves the child.
  const children = Array.from(document.documentElement.children);
  for (const child of children) {
    if (child === document.head || child === document.body) continue;
    (HEAD_TAGS.has(child.tagName) ? document.head : document.body).append(child);
  }
  return document;
}
