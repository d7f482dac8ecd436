/** A surrogate without its partner. `String.prototype.isWellFormed` is too new for apps that compile this. */
const LONE_SURROGATE = /\p{Cs}/u;
const LONE_SURROGATES = /\p{Cs}/gu;

/** After the name of a text that is not well-formed. */
export const ILL_FORMED = "has half of a surrogate pair: send well-formed Unicode";

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Text of at most `max` UTF-16 units, cut with "…", without lone surrogates: engines could not all store those. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return wellFormed(text);
  const end = max - 1;
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return `${wellFormed(text.slice(0, splitsPair ? end - 1 : end))}…`;
}

function wellFormed(text: string): string {
  return text.replaceAll(LONE_SURROGATES, "\uFFFD");
}

/** A number of bytes for people: `262,145 bytes`. */
export function inBytes(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} bytes`;
}
