/** Turns fetched HTML into a `Page`: its metadata, its main text, and measurements of both. */
import { beginningOf, cutText } from "#shared/cut-text.ts";
import { clean } from "#server/kinds/article/text/clean.ts";
import { keyTerms } from "#server/kinds/article/text/key-terms.ts";
import { languageOf } from "#server/kinds/article/text/language.ts";
import { toneOf } from "#server/kinds/article/text/tone.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import type { FetchedHtml } from "./fetch-html.ts";
import { decodePage } from "./decode-page.ts";
import { parseDocument } from "./html-document.ts";
import { readBlocks, sectionsOf, type TextBlock } from "./main-text.ts";
import { PageError } from "./page-error.ts";
import { MOST_BLOCKS, MOST_CHARACTERS } from "./page-limits.ts";
import { readHead, readLinks } from "./page-head.ts";
import type { Page } from "./page.ts";

const KEY_TERMS = 24;
const EXCERPT_CHARACTERS = 600;

export interface ReadTask {
  /** The requested address. */
  address: string;
  fetched: FetchedHtml;
}

/** Throws `PageError` where the page cannot be read or has no text. Every length in the result is bounded. */
export function readPage({ address, fetched }: ReadTask): Page {
  const { head, links, blocks } = parse(fetched);
  const paragraphs = blocks.filter((block) => !block.heading).map((block) => block.text);
  const text = clean(paragraphs.join(" "));
  const words = countWords(text);
  if (words === 0) throw new PageError("PAGE_EMPTY", "has no readable text");

  const language = languageOf(text, head.language);
  const sections = sectionsOf(blocks, language);
  if (sections.length === 0) {
    const why = "has no readable sentence: its text is not in the charset that it declares";
    throw new PageError("PAGE_EMPTY", why);
  }
  const headings = sections.map((section) => section.heading).filter((heading) => heading !== "");
  const { title, description, siteName, topic } = head;
  return {
    profile: {
      url: address,
      finalUrl: fetched.url,
      title,
      description,
      headings,
      excerpt: cutText(text, EXCERPT_CHARACTERS + 1),
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

/** Cuts the text at the length of a book, far beyond what is ever quoted. */
function beginning(blocks: readonly TextBlock[]): TextBlock[] {
  const kept: TextBlock[] = [];
  let left = MOST_CHARACTERS;
  for (const { heading, text } of blocks.slice(0, MOST_BLOCKS)) {
    if (left <= 0) break;
    kept.push({ heading, text: beginningOf(text, left) });
    left -= text.length;
  }
  return kept;
}

function parse(fetched: FetchedHtml) {
  const html = decodePage(fetched);
  try {
    const document = parseDocument(html);
    const url = new URL(fetched.url);
    return {
      head: readHead(document, url),
      links: readLinks(document, url),
      blocks: beginning(readBlocks(html)),
    };
  } catch (error) {
    if (error instanceof PageError) throw error;
    throw new PageError("PAGE_TOO_COMPLEX", "is too large or too deeply nested to be read", {
      cause: error,
    });
  }
}
