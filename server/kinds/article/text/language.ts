/** Which language a text is in. What a page says of itself is believed unless its text clearly says otherwise. */
import { detectAll } from "tinyld";
import { UNKNOWN_LANGUAGE } from "./language-name.ts";
import { countWords } from "./words.ts";

/** Below this many words a guess is worth less than the page's own word. */
const ENOUGH_WORDS = 20;
const SURE = 0.6;

/** `declared` is a BCP 47 tag such as `sv-SE`, or empty. Answers ISO 639-1, or `und`. */
export function languageOf(text: string, declared: string): string {
  const claim = /^[a-z]{2}(?=$|[-_])/i.exec(declared.trim())?.[0].toLowerCase();
  const guess = detectAll(text.slice(0, 5000))[0];
  if (guess === undefined || countWords(text) < ENOUGH_WORDS) return claim ?? UNKNOWN_LANGUAGE;
  if (claim === undefined) return guess.lang;
  return guess.accuracy >= SURE ? guess.lang : claim;
}
