/**
 * Cuts text to a length in UTF-16 units, as well-formed Unicode: engines could not all store a lone surrogate, and other
 * languages and servers of models refuse one. A grapheme, what people see as one character, stays whole.
 */

/** A surrogate without its partner. `String.prototype.isWellFormed` is too new for apps that compile this. */
const LONE_SURROGATE = /\p{Cs}/u;
const LONE_SURROGATES = /\p{Cs}/gu;
/** Units before a cut in which the beginning of its grapheme is looked for: the cost of a cut is bounded by it. */
const WINDOW = 1024;

/** After the name of a text that is not well-formed. */
export const ILL_FORMED = "has half of a surrogate pair: send well-formed Unicode";

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Lone surrogates become U+FFFD. */
export function wellFormed(text: string): string {
  return text.replaceAll(LONE_SURROGATES, "\uFFFD");
}

/** The beginning of a text, at most `max` units of it, without a sign that there was more. */
export function beginningOf(text: string, max: number): string {
  return wellFormed(text.length <= max ? text : text.slice(0, placeOfCut(text, max)));
}

/** At most `max` units, the last of them "…" where text was cut. */
export function cutText(text: string, max: number): string {
  return text.length <= max ? wellFormed(text) : `${beginningOf(text, max - 1)}…`;
}

/**
 * The last place between two graphemes that is not beyond `end`. A grapheme that fills the window, or all of the room,
 * is cut between two code points.
 */
function placeOfCut(text: string, end: number): number {
  const start = Math.max(0, end - WINDOW);
  // The code point behind the cut says whether it belongs to the grapheme before.
  const window = text.slice(start, end + 2);
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" }).segment(window);
  const before = graphemes.containing(end - start)?.index ?? 0;
  if (before > 0) return start + before;
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return splitsPair ? end - 1 : end;
}

/** A number of bytes for people: `262,145 bytes`. */
export function inBytes(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} bytes`;
}
