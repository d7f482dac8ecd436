/** The newest entries of a stream, in memory, without a gap between them. */
import { isDeepStrictEqual } from "node:util";
import type { Entry, Slice } from "./source.ts";

export class EntryWindow<T> {
  /** The most that the entries weigh together. */
  readonly #capacity: number;
  readonly #weigh: (value: T) => number;
  #entries: Entry<T>[] = [];
  #weight = 0;
  /** It has dropped entries that were too heavy together, so it cannot be extended to older ones. */
  #isFull = false;
  /** Every entry with `pos > from` is in `entries`. */
  #from = 0;
  #head = 0;
  /** The entry at the head, where it is known. */
  #newest: Entry<T> | undefined;
  #ended = false;
  /** Most live watches have the same cursor, and get the same slice. */
  #latest: { cursor: number; slice: Slice<T> } | undefined;

  /** `weigh`: 1 or more for each entry, and less than the capacity. */
  constructor(capacity: number, weigh: (value: T) => number = () => 1) {
    this.#capacity = capacity;
    this.#weigh = weigh;
  }

  get head(): number {
    return this.#head;
  }

  get newest(): Entry<T> | undefined {
    return this.#newest;
  }

  /** `true`: `cursor` is before the window, and near enough to extend the window to it. */
  startsShortlyAfter(cursor: number): boolean {
    return !this.#isFull && cursor < this.#from && this.#head - cursor < this.#capacity;
  }

  /** Everything after `cursor`, or `undefined` where the window starts after it. */
  since(cursor: number): Slice<T> | undefined {
    if (cursor < this.#from) return undefined;
    if (this.#latest?.cursor === cursor) return this.#latest.slice;
    const entries = this.#entries;
    let start = entries.length;
    while (start > 0 && (entries[start - 1] as Entry<T>).pos > cursor) start -= 1;
    const slice = { entries: entries.slice(start), head: this.#head, ended: this.#ended };
    this.#latest = { cursor, slice };
    return slice;
  }

  /** Starts empty at the end of the log. */
  reset({ entries, head, ended }: Slice<T>): void {
    this.#newest = entries.at(-1);
    this.#entries = [];
    this.#weight = 0;
    this.#isFull = false;
    this.#from = this.#head = this.#newest?.pos ?? head;
    this.#ended = ended && this.#head >= head;
    this.#latest = undefined;
  }

  /** Takes the entries after the head, and drops the oldest beyond the capacity. `true`: something changed. */
  append({ entries, head, ended }: Slice<T>): boolean {
    const last = entries.at(-1);
    const newHead = last?.pos ?? head;
    if (newHead < this.#head) return false;
    const changed = newHead > this.#head || ended !== this.#ended;
    this.#latest = undefined;
    // An overlapping read may have appended the first of them already.
    for (const entry of entries) if (entry.pos > this.#head) this.#add(entry);
    if (last !== undefined) this.#newest = last;
    this.#dropOldest();
    this.#head = newHead;
    this.#ended = ended && newHead >= head;
    return changed;
  }

  /** Takes the entries after `start`, which were read up to the window or beyond. `true`: something changed at the end. */
  prepend(start: number, { entries, head, ended }: Slice<T>): boolean {
    const last = entries.at(-1)?.pos;
    if (last === undefined || last < this.#from) return false;
    const newer = this.#entries.filter(({ pos }) => pos > last);
    this.#entries = [];
    this.#weight = 0;
    for (const entry of [...entries, ...newer]) this.#add(entry);
    this.#from = start;
    this.#latest = undefined;
    return this.append({ entries: [], head: last, ended: ended && last >= head });
  }

  #add(entry: Entry<T>): void {
    this.#entries.push(entry);
    this.#weight += this.#weigh(entry.value);
  }

  #dropOldest(): void {
    let count = 0;
    while (this.#weight > this.#capacity) {
      const oldest = this.#entries[count] as Entry<T>;
      this.#weight -= this.#weigh(oldest.value);
      this.#from = oldest.pos;
      count += 1;
    }
    if (count === 0) return;
    this.#entries.splice(0, count);
    this.#isFull = true;
  }
}

/** `true`: a slice that was read from before `head` contradicts the entry that is known at `head`. */
export function isTruncated<T>(
  slice: Slice<T>,
  head: number,
  known: Entry<T> | undefined,
): boolean {
  if (slice.head < head) return true;
  const [first] = slice.entries;
  const isThere = first?.pos === head && known?.pos === head;
  return isThere && !isDeepStrictEqual(first.value, known.value);
}
