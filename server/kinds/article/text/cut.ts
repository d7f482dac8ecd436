/** Cuts text to a length in UTF-16 code units: whole code points, well-formed Unicode. */

/** The beginning of a text, without a sign that there was more. */
export function beginningOf(text: string, most: number): string {
  if (text.length <= most) return text.toWellFormed();
  const splitsPair = (text.codePointAt(most - 1) ?? 0) > 0xffff;
  return text.slice(0, splitsPair ? most - 1 : most).toWellFormed();
}

/** At most `most` code units, the last of them "…" where text was cut. */
export function cutText(text: string, most: number): string {
  return text.length <= most ? text.toWellFormed() : `${beginningOf(text, most - 1)}…`;
}
