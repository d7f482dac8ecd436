import type { Entry, Source } from "./source.ts";

/** Folds each entry into its successor where the source allows it (S2, S3). */
export function folded<T>(entries: readonly Entry<T>[], fold: Source<T>["fold"]): Entry<T>[] {
  const kept: Entry<T>[] = [];
  for (const entry of entries) {
    const last = kept.at(-1);
    const both = last && fold(last, entry);
    if (both === undefined) kept.push(entry);
    else kept[kept.length - 1] = both;
  }
  return kept;
}
