/** Parses HTML into a DOM that has a head and a body, whatever the page left out. Runs nothing, loads nothing. */
import { parseHTML } from "linkedom";

const HEAD_TAGS = new Set(["BASE", "LINK", "META", "SCRIPT", "STYLE", "TITLE"]);

export function parseDocument(html: string): Document {
  const { document } = parseHTML(/<html[\s>]/i.test(html) ? html : `<html>${html}</html>`);
  const { head, body } = document;
  // The parser leaves what stands outside of head and body where it found it; browsers move it in.
  // A copy, because appending moves the node.
  const nodes = Array.from(document.documentElement.childNodes);
  for (const node of nodes) {
    if (node === head || node === body) continue;
    (HEAD_TAGS.has(node.nodeName) ? head : body).append(node);
  }
  return document;
}
