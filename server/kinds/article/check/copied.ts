/** Measures how much of a text is copied word for word from another text. */
import { wordsOf } from "#server/kinds/article/text/words.ts";

export interface Copied {
  /** Length in words of the longest run that both texts share. */
  longest: number;
  /** Share, 0..1, of the text's words in shared runs of at least `counts` words. */
  share: number;
}

/** Bounds the work on a repetitive source: further repetitions of the same words are not compared. */
const MOST_PLACES = 100;

/** A run ends with its text, so passages in two paragraphs are two runs. */
export function copied(texts: readonly string[], source: string, counts: number): Copied {
  const from = wordsOf(source);
  const starts = new Map<string, number[]>();
  for (let at = 0; at + counts <= from.length; at++) {
    const key = from.slice(at, at + counts).join(" ");
    const places = starts.get(key);
    if (places === undefined) starts.set(key, [at]);
    else if (places.length < MOST_PLACES) places.push(at);
  }
  let total = 0;
  let longest = 0;
  let covered = 0;
  for (const words of texts.map(wordsOf)) {
    total += words.length;
    for (let at = 0; at + counts <= words.length;) {
      const places = starts.get(words.slice(at, at + counts).join(" ")) ?? [];
      const run = Math.max(0, ...places.map((place) => runAt(words, at, from, place)));
      longest = Math.max(longest, run);
      covered += run;
      at += Math.max(run, 1);
    }
  }
  return { longest, share: total === 0 ? 0 : covered / total };
}

function runAt(
  words: readonly string[],
  at: number,
  from: readonly string[],
  place: number,
): number {
  let length = 0;
  while (at + length < words.length && words[at + length] === from[place + length]) length += 1;
  return length;
}
