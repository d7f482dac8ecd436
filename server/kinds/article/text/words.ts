/** Words as people count them: letters and digits, with apostrophes and hyphens inside a word. */
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

export function wordsOf(text: string): string[] {
  return (text.match(WORD) ?? []).map((word) => word.toLowerCase().replaceAll("’", "'"));
}

export function countWords(text: string): number {
  return text.match(WORD)?.length ?? 0;
}
