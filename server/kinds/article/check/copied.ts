/** How much of a text is word for word in another one. */
import { wordsOf } from "#server/kinds/article/text/words.ts";

export interface Copied {
  /** Words of the longest run that both share. */
  longest: number;
  /** 0..1, of all words of the text, in runs of at least `counts` words. */
  share: number;
}

export function copied(text: string, source: string, counts: number): Copied {
  const words = wordsOf(text);
  const from = wordsOf(source);
  const starts = new Map<string, number[]>();
  for (let at = 0; at + counts <= from.length; at++) {
    const key = from.slice(at, at + counts).join(" ");
    const places = starts.get(key);
    if (places === undefined) starts.set(key, [at]);
    else places.push(at);
  }
  let longest = 0;
  let covered = 0;
  for (let at = 0; at + counts <= words.length;) {
    const places = starts.get(words.slice(at, at + counts).join(" ")) ?? [];
    let run = 0;
    for (const place of places) {
      let length = counts;
      while (at + length < words.length && words[at + length] === from[place + length]) length++;
      run = Math.max(run, length);
    }
    longest = Math.max(longest, run);
    covered += run;
    at += Math.max(run, 1);
  }
  return { longest, share: words.length === 0 ? 0 : covered / words.length };
}
