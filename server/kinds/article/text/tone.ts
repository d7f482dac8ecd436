/** A text's tone towards its reader, from measurable signs: sentence length, address, contractions, exclamation marks. */
import type { PageProfile } from "#shared/article/article.ts";
import { wordsOf } from "./words.ts";

const FORMAL_SENTENCE = 18;
const ADDRESS = new Set(
  "you your yours you're we our us i me my du dig din ditt dina ni er vi oss vår vårt våra jag mig".split(
    " ",
  ),
);
const CONTRACTION = /^[\p{L}]+'(?:s|t|re|ll|ve|d|m)$/u;

export function toneOf(sentences: readonly string[]): PageProfile["tone"] {
  const words = sentences.flatMap(wordsOf);
  if (words.length === 0) return "neutral";
  const perHundred = (count: number): number => (100 * count) / words.length;
  const address = perHundred(words.filter((word) => ADDRESS.has(word)).length);
  const contractions = perHundred(words.filter((word) => CONTRACTION.test(word)).length);
  const shouts = sentences.filter((sentence) => sentence.endsWith("!")).length / sentences.length;
  const length = words.length / sentences.length;
  const casual = Number(address > 3) + Number(contractions > 1) + Number(shouts > 0.05);
  if (casual >= 2) return "casual";
  return casual === 0 && length >= FORMAL_SENTENCE ? "formal" : "neutral";
}
