/** Parses HTML into a DOM with a head and a body, even where the page omits them. Runs and loads nothing. */
import { Parser } from "htmlparser2";
import { parseHTML } from "linkedom";
import { withoutControls } from "#server/kinds/article/text/clean.ts";
import { PageError } from "./page-error.ts";
import {
  LONGEST_ATTRIBUTE,
  MOST_ATTRIBUTES,
  MOST_ELEMENTS,
  MOST_LEVELS,
  MOST_OPEN,
} from "./page-limits.ts";

const HEAD_TAGS = new Set([
  "base",
  "link",
  "meta",
  "noscript",
  "script",
  "style",
  "template",
  "title",
]);

/**
 * As in browsers, a second `<html>`, `<head>` or `<body>` opens nothing, comments (conditional ones too) are ignored,
 * and content outside of head and body is moved inside. Control characters are dropped. Throws `PageError` on pages
 * beyond its limits.
 */
export function parseDocument(html: string): Document {
  const { document } = parseHTML("<html><head></head><body></body></html>");
  const { documentElement: root, head, body } = document;
  /** Parents for the children of each open tag. */
  const open: Element[] = [root];
  let text = "";
  let elements = 0;

  const innermost = (): Element => open.at(-1) ?? root;
  const isOutside = (place: Element): boolean => place === root || place === head;

  /** The parser emits text in pieces, split at entities and stray signs. */
  function endText(): void {
    const place = innermost();
    text = withoutControls(text);
    if (!isOutside(place)) {
      if (text !== "") place.append(document.createTextNode(text));
    } else if (/\S/.test(text)) body.append(document.createTextNode(text));
    text = "";
  }

  function openPart(name: "html" | "head" | "body", attributes: Attributes): void {
    const place = innermost();
    if (name === "html") {
      setAttributes(root, attributes);
      open.push(place);
    } else open.push(isOutside(place) ? document[name] : place);
  }

  function openElement(name: string, attributes: Attributes): void {
    elements += 1;
    if (elements > MOST_ELEMENTS) throw tooComplex(MOST_ELEMENTS, "elements");
    const element = document.createElement(name);
    setAttributes(element, attributes);
    // Elements beyond the depth limit become siblings, as in browsers: reading costs their number times their depth.
    const parent = open[Math.min(open.length, MOST_LEVELS) - 1] ?? root;
    const place = isOutside(parent) ? (HEAD_TAGS.has(name) ? head : body) : parent;
    place.append(element);
    open.push(element);
  }

  const parser = new Parser({
    onopentag(name, attributes) {
      endText();
      if (open.length > MOST_OPEN) throw tooComplex(MOST_OPEN, "elements inside one another");
      if (name === "html" || name === "head" || name === "body") openPart(name, attributes);
      else openElement(name, attributes);
    },
    onclosetag() {
      endText();
      open.pop();
    },
    ontext(piece) {
      text += piece;
    },
  });
  parser.end(html);
  endText();
  return document;
}

type Attributes = Readonly<Record<string, string>>;

/** Keeps attributes that the element has already. */
function setAttributes(element: Element, attributes: Attributes): void {
  let left = MOST_ATTRIBUTES;
  for (const name in attributes) {
    if (left === 0) return;
    left -= 1;
    if (!element.hasAttribute(name)) {
      element.setAttribute(
        name,
        withoutControls((attributes[name] ?? "").slice(0, LONGEST_ATTRIBUTE)),
      );
    }
  }
}

function tooComplex(limit: number, things: string): PageError {
  const most = `${limit.toLocaleString("en")} ${things}`;
  return new PageError("PAGE_TOO_COMPLEX", `is too complex to be read: it has more than ${most}`);
}
