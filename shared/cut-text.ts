/**
 * Cuts text to a length in UTF-16 units without producing lone surrogates, which some engines cannot store and other
 * languages and model servers refuse. Graphemes (user-perceived characters) stay whole.
 */

/** Lone surrogates. `String.prototype.isWellFormed` is too new for apps that compile this file. */
const LONE_SURROGATE = /\p{Cs}/u;
const LONE_SURROGATES = /\p{Cs}/gu;
/** Units before a cut that are searched for the start of its grapheme; bounds the cost of a cut. */
const WINDOW = 1024;

/** Predicate of an error about a text that is not well-formed. */
export const ILL_FORMED = "has half of a surrogate pair: send well-formed Unicode";

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Replaces lone surrogates by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replaceAll(LONE_SURROGATES, "\uFFFD");
}

/** The beginning of a text, at most `max` units of it, without an ellipsis. */
export function beginningOf(text: string, max: number): string {
  return wellFormed(text.length <= max ? text : text.slice(0, placeOfCut(text, max)));
}

/** At most `max` units; the last of them is "…" if the text was cut. */
export function cutText(text: string, max: number): string {
  return text.length <= max ? wellFormed(text) : `${beginningOf(text, max - 1)}…`;
}

/**
 * The last grapheme boundary up to `end`. A grapheme that fills the window or the whole limit is cut between two code
 * points.
 */
function placeOfCut(text: string, end: number): number {
  const start = Math.max(0, end - WINDOW);
  // The code point after the cut decides whether it belongs to the grapheme before.
  const window = text.slice(start, end + 2);
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" }).segment(window);
  const before = graphemes.containing(end - start)?.index ?? 0;
  if (before > 0) return start + before;
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return splitsPair ? end - 1 : end;
}

/** Formats a number of bytes for people: `262,145 bytes`. */
export function inBytes(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} bytes`;
}
