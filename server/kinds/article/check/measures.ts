/** Measurements for rules that take more than one expression. */
import type { Brief } from "#server/kinds/article/brief.ts";
import { languageOf } from "#server/kinds/article/text/language.ts";
import { sentencesOf } from "#server/kinds/article/text/sentences.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import { sameAddress } from "./anchor.ts";
import { proseBlocks, type Article } from "./article.ts";
import { copied, type Copied } from "./copied.ts";
import { THRESHOLDS } from "./thresholds.ts";
import { isTrusted } from "./trust.ts";

/** Addresses of links that lead neither to the target, nor to the publisher, nor to a trusted site. */
export function strayLinks(article: Article, { publisher, targetUrl }: Brief): string[] {
  const publisherHost = new URL(publisher.profile.finalUrl).host;
  return article.blocks
    .flatMap((block) => block.links)
    .map(({ href }) => href)
    .filter((href) => {
      if (!URL.canParse(href)) return true;
      return !(
        sameAddress(href, targetUrl) ||
        new URL(href).host === publisherHost ||
        isTrusted(href)
      );
    });
}

export function copiedFromTarget(article: Article, { target }: Brief): Copied {
  const source = target.sections.flatMap(({ paragraphs }) => paragraphs.flat()).join(" ");
  return copied(proseBlocks(article), source, THRESHOLDS.copiedRunCounts);
}

/** Number of headings with text below them. */
export function sectionCount(article: Article): number {
  let count = 0;
  let open = false;
  for (const block of article.blocks) {
    if (block.kind === "heading") open = block.text !== "";
    else if (open && block.text !== "" && block.kind !== "title") {
      count += 1;
      open = false;
    }
  }
  return count;
}

/** `languageOf` detects no language in fewer words than this. */
const ENOUGH_WORDS = 20;

/** Percent of words in sentences of `language`. Short sentences are judged together with their neighbours. */
export function languageShare(text: string, language: string): number {
  const pieces: { text: string; words: number }[] = [];
  for (const sentence of sentencesOf(text, language)) {
    const words = countWords(sentence);
    const last = pieces.at(-1);
    if (last !== undefined && last.words < ENOUGH_WORDS) {
      last.text += ` ${sentence}`;
      last.words += words;
    } else pieces.push({ text: sentence, words });
  }
  const total = countWords(text);
  if (total === 0) return 0;
  const matching = pieces.filter((piece) => languageOf(piece.text, "") === language);
  return Math.round((100 * matching.reduce((sum, { words }) => sum + words, 0)) / total);
}
