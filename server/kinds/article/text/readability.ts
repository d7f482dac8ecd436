/** Readability scores, from the numbers of sentences, words and letters. */
import { sentencesOf } from "./sentences.ts";
import { wordsOf } from "./words.ts";

const LONG_WORD = 6;

/** LIX, for Swedish: below 30 very easy, 40-50 newspapers, above 60 very hard. */
export function lix(text: string): number {
  const words = wordsOf(text);
  if (words.length === 0) return 0;
  const long = words.filter((word) => word.length > LONG_WORD).length;
  return words.length / sentencesOf(text, "sv").length + (100 * long) / words.length;
}

/** Flesch Reading Ease, for English: 90 very easy, 60 plain, below 30 very hard. */
export function flesch(text: string): number {
  const words = wordsOf(text);
  if (words.length === 0) return 0;
  const syllables = words.reduce((sum, word) => sum + syllablesIn(word), 0);
  const perSentence = words.length / sentencesOf(text, "en").length;
  return 206.835 - 1.015 * perSentence - 84.6 * (syllables / words.length);
}

function syllablesIn(word: string): number {
  const groups = word
    .replace(/(?:[^laeiouy]es|[^laeiouytd]ed|[^laeiouy]e)$/, "")
    .match(/[aeiouy]+/g);
  return Math.max(1, groups?.length ?? 0);
}
