/** Detects a text's language. The page's declaration wins unless the text clearly contradicts it. */
import { detectAll } from "tinyld";
import { UNKNOWN_LANGUAGE } from "./language-name.ts";
import { countWords } from "./words.ts";

/** With fewer words, the declaration is more reliable than detection. */
const ENOUGH_WORDS = 20;
const SURE = 0.6;

/** `declared`: a BCP 47 tag such as `sv-SE`, or empty. Returns an ISO 639-1 code, or `und`. */
export function languageOf(text: string, declared: string): string {
  const claim = /^[a-z]{2}(?=$|[-_])/i.exec(declared.trim())?.[0].toLowerCase();
  const guess = detectAll(text.slice(0, 5000))[0];
  if (guess === undefined || countWords(text) < ENOUGH_WORDS) return claim ?? UNKNOWN_LANGUAGE;
  if (claim === undefined) return guess.lang;
  return guess.accuracy >= SURE ? guess.lang : claim;
}
