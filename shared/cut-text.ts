/** Text of at most `max` UTF-16 units, cut with "…", without lone surrogates: engines could not all store those. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  const end = max - 1;
  const splitsPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
  return `${text.slice(0, splitsPair ? end - 1 : end).toWellFormed()}…`;
}

/** A number of bytes for people: `262,145 bytes`. */
export function inBytes(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} bytes`;
}
