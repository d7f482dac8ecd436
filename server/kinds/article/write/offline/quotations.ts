/**
 * Selects quotable sentences of a page: those that are clear without the sentences before them, short enough for a
 * quotation, and in the third person.
 */
import type { Page } from "#server/kinds/article/page/page.ts";
import { stem } from "#server/kinds/article/text/stem.ts";
import { stopWords } from "#server/kinds/article/text/stop-words.ts";
import { countWords, wordsOf } from "#server/kinds/article/text/words.ts";
import { THRESHOLDS } from "#server/kinds/article/check/thresholds.ts";

export interface Quotable {
  text: string;
  /** Index among all sentences of the page. */
  place: number;
  /** Stems of the words that are not stop words. */
  stems: ReadonlySet<string>;
}

export interface Quotations {
  page: Page;
  sections: QuotedSection[];
  /** Words that the page also writes in lower case, so they are not names. */
  smallWords: ReadonlySet<string>;
}

export interface QuotedSection {
  /** Empty for text before the first heading. */
  heading: string;
  sentences: Quotable[];
}

const FEWEST_WORDS = 6;
const LONGEST_QUOTATION = 600;
/** Matches sentences whose beginning refers to the sentence before. */
const LEANS_BACK: Record<string, RegExp> = {
  en: /^(?:it|its|they|their|them|this|that|these|those|such|he|she|his|her|but|and|or|so|then|thus|therefore|however|instead|otherwise|also|yet|here|there|both of|neither|none|another|for example|for instance|in addition|as a result|the (?:former|latter|same|other|others|first|second|third|result)|one of (?:them|these)|not least|now|next|finally|first|secondly|lastly|again|still|similarly|likewise|meanwhile|after that|besides|furthermore|moreover|note|notice|remember)\b/i,
  sv: /^(?:den|det|de|dess|deras|denna|detta|dessa|sådana?|sådant|han|hon|hans|hennes|men|och|eller|så|då|därför|alltså|dock|istället|i stället|annars|också|även|här|där|dit|till exempel|dessutom|samma|resultatet|båda|ingendera|en annan|ett annat|enligt|nu|sedan|slutligen|vidare|först|igen|ändå|likaså|samtidigt|observera|kom ihåg|tänk på)(?![\p{L}])/iu,
};
/** Matches references to something outside the sentence. */
const POINTS: Record<string, RegExp> = {
  en: /\b(?:this|these|those|such)\b|\bthat(?= (?:in|into|to|from|with|by|at|on)\b|[.,;])|\bthe (?:two|other|others|former|latter|rest)(?=[,.;])/i,
  sv: /\b(?:denna|detta|dessa|sådan|sådana|sådant|detsamma)\b|^[^,]*\b(?:alltså|däremot|därför)\b/i,
};
const SPEAKS_OF_ITSELF =
  /\b(?:i|we|us|our|ours|my|me|mine|jag|vi|oss|vår|vårt|våra|min|mitt|mina)\b/i;
const NOT_RUNNING_TEXT =
  /https?:|www\.|@|[“”"«»„{}|©•<>[\]]|\b(?:cookies?|subscribe|newsletter|log in|sign up|click here|klicka här|logga in|prenumerera|nyhetsbrev)\b/i;

export function quotationsOf(page: Page): Quotations {
  const { language } = page.profile;
  let place = 0;
  const seen = new Set<string>();
  const sections = page.sections.map(({ heading, paragraphs }) => ({
    heading: cleanHeading(heading),
    sentences: paragraphs.flat().flatMap((text) => {
      place += 1;
      if (!isQuotable(text, language) || seen.has(text)) return [];
      seen.add(text);
      return [{ text, place, stems: stemsOf(text, language) }];
    }),
  }));
  return { page, sections, smallWords: smallWordsOf(page) };
}

export function stemsOf(text: string, language: string): Set<string> {
  const stops = stopWords(language);
  const words = wordsOf(text).filter((word) => word.length > 3 && !stops.has(word));
  return new Set(words.map((word) => stem(word, language)));
}

function isQuotable(text: string, language: string): boolean {
  if (text.length > LONGEST_QUOTATION) return false;
  const words = countWords(text);
  return (
    words >= FEWEST_WORDS &&
    // Two adjacent sentences of a page may be quoted in a row: together they stay below the limit on copying.
    words <= THRESHOLDS.copiedRun - 1 &&
    /^[\p{Lu}\d]/u.test(text) &&
    /[\p{L}\d]\.$/u.test(text) &&
    LEANS_BACK[language]?.test(text) !== true &&
    POINTS[language]?.test(text) !== true &&
    !SPEAKS_OF_ITSELF.test(text) &&
    !NOT_RUNNING_TEXT.test(text)
  );
}

/** "1. Fill the tank:" is the heading "Fill the tank". */
function cleanHeading(heading: string): string {
  const text = heading.replace(/^(?:\d+[.)]|[-–•])\s*/, "");
  let end = text.length;
  while (end > 0 && /^[\s:.]$/.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function smallWordsOf(page: Page): Set<string> {
  const text = page.sections.flatMap(({ paragraphs }) => paragraphs.flat()).join(" ");
  return new Set(text.match(/(?<![\p{L}\d'’-])\p{Ll}[\p{L}'’-]*/gu) ?? []);
}
