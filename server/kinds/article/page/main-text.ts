/** Extracts a page's main text as headings and paragraphs. */
import { Readability } from "@mozilla/readability";
import { clean, isDamaged } from "#server/kinds/article/text/clean.ts";
import { sentencesOf } from "#server/kinds/article/text/sentences.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import { beginningOf } from "#shared/cut-text.ts";
import { parseDocument } from "./html-document.ts";
import { LONGEST_LINE, MOST_SECTIONS, MOST_SENTENCES } from "./page-limits.ts";
import type { PageSection } from "./page.ts";

export interface TextBlock {
  heading: boolean;
  text: string;
}

const BLOCKS = "h1, h2, h3, h4, p, li, blockquote, dd";
const NOT_TEXT =
  "script, style, noscript, template, svg, nav, header, footer, aside, form, button, [hidden]";

/** Throws `PageError` on pages beyond its limits. */
export function readBlocks(html: string): TextBlock[] {
  const document = parseDocument(html);
  const found = new Readability<Element>(document, {
    disableJSONLD: true,
    serializer: (node) => node as Element,
  }).parse()?.content;
  const readable = found === null || found === undefined ? [] : blocksIn(found);
  return wordsIn(readable) > 0 ? readable : blocksIn(bare(parseDocument(html)));
}

/** Omits headings without text below them, damaged sentences, and text beyond the limits of a page. */
export function sectionsOf(blocks: readonly TextBlock[], language: string): PageSection[] {
  const sections: PageSection[] = [];
  let section: PageSection = { heading: "", paragraphs: [] };
  let left = MOST_SENTENCES;
  for (const { heading, text } of blocks) {
    if (heading) {
      section = { heading: text, paragraphs: [] };
      continue;
    }
    const whole = sentencesOf(text, language).filter((sentence) => !isDamaged(sentence));
    if (whole.length === 0) continue;
    if (section.paragraphs.length === 0) {
      if (sections.length === MOST_SECTIONS) break;
      sections.push(section);
    }
    const sentences = whole.slice(0, left);
    section.paragraphs.push(sentences);
    left -= sentences.length;
    if (left === 0) break;
  }
  return sections;
}

function bare(document: Document): Element {
  for (const element of document.querySelectorAll(NOT_TEXT)) element.remove();
  return document.body;
}

function blocksIn(root: Element): TextBlock[] {
  const blocks: TextBlock[] = [];
  for (const element of root.querySelectorAll(BLOCKS)) {
    // Of nested blocks (a paragraph inside a list item or quotation), only the inner one counts.
    if (element.querySelector(BLOCKS) !== null) continue;
    const heading = /^H\d$/.test(element.tagName);
    const source = heading ? clean(element.textContent) : element.textContent;
    const text = source.replaceAll(/\s+/g, " ").trim();
    if (text === "") continue;
    blocks.push({ heading, text: heading ? beginningOf(text, LONGEST_LINE) : text });
  }
  if (blocks.some((block) => !block.heading)) return blocks;
  const text = root.textContent.replaceAll(/\s+/g, " ").trim();
  return text === "" ? [] : [{ heading: false, text }];
}

function wordsIn(blocks: readonly TextBlock[]): number {
  return blocks.reduce((sum, block) => sum + (block.heading ? 0 : countWords(block.text)), 0);
}
