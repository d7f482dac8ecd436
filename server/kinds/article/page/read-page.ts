/** Turns fetched HTML into a `Page`: what it says of itself, its main text, and what can be measured of it. */
import { keyTerms } from "#server/kinds/article/text/key-terms.ts";
import { languageOf } from "#server/kinds/article/text/language.ts";
import { toneOf } from "#server/kinds/article/text/tone.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import type { FetchedHtml } from "./fetch-html.ts";
import { parseDocument } from "./html-document.ts";
import { readBlocks, sectionsOf, type TextBlock } from "./main-text.ts";
import { PageError } from "./page-error.ts";
import { readHead, readLinks } from "./page-head.ts";
import type { Page } from "./page.ts";

const KEY_TERMS = 24;
const EXCERPT_CHARACTERS = 600;
const MOST_CHARACTERS = 200_000;

/** `address` is what was asked for. Throws `PageError` where the page cannot be read or holds no text. */
export function readPage(address: string, fetched: FetchedHtml): Page {
  const { head, links, blocks } = parse(fetched);
  const text = blocks
    .filter((block) => !block.heading)
    .map((block) => block.text)
    .join(" ");
  const words = countWords(text);
  if (words === 0) throw new PageError("PAGE_EMPTY", "holds no text that could be read");

  const language = languageOf(text, head.language);
  const sections = sectionsOf(blocks, language);
  const headings = sections.map((section) => section.heading).filter((heading) => heading !== "");
  const { title, description, siteName, topic } = head;
  return {
    profile: {
      url: address,
      finalUrl: fetched.url,
      title,
      description,
      headings,
      excerpt: text.length > EXCERPT_CHARACTERS ? `${text.slice(0, EXCERPT_CHARACTERS)}…` : text,
      words,
      language,
      keyTerms: keyTerms({ title: topic, description, headings, text }, language, KEY_TERMS),
      tone: toneOf(sections.flatMap((section) => section.paragraphs.flat())),
    },
    siteName,
    topic,
    sections,
    links,
  };
}

/** Nobody quotes from what comes after a book's worth of text. */
function beginning(blocks: readonly TextBlock[]): TextBlock[] {
  const kept: TextBlock[] = [];
  let left = MOST_CHARACTERS;
  for (const { heading, text } of blocks) {
    if (left <= 0) break;
    kept.push({ heading, text: text.slice(0, left) });
    left -= text.length;
  }
  return kept;
}

function parse(fetched: FetchedHtml) {
  try {
    const document = parseDocument(fetched.html);
    const url = new URL(fetched.url);
    return {
      head: readHead(document, url),
      links: readLinks(document, url),
      blocks: beginning(readBlocks(fetched.html)),
    };
  } catch (error) {
    throw new PageError("PAGE_TOO_COMPLEX", "is too large or too deeply nested to be read", {
      cause: error,
    });
  }
}
