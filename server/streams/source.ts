/**
 * How one stream is read. A position is a number that only grows; it is the cursor on every transport (S9).
 * What is watched differs here and nowhere else: the tail and the watch know no stream by name.
 */
import type { Hint, StreamRef } from "#server/engine/contract.ts";

export interface Entry<T> {
  readonly pos: number;
  readonly value: T;
}

/** One consistent look at a stream. */
export interface Slice<T> {
  readonly entries: readonly Entry<T>[];
  /** The newest position of the stream at that moment. */
  readonly head: number;
  /** Nothing follows `head`, as far as can be known: a watch that has read up to it may end (S10). */
  readonly ended: boolean;
}

export interface Source<T> {
  /** One tail is shared by all watches with the same key. */
  readonly key: string;
  readonly ref: StreamRef;
  /** The current state (S4). Rejects with `NOT_FOUND` when the stream is gone. */
  current(): Promise<Slice<T>>;
  /** Entries with `pos > after`, in order, `limit` at most. Rejects with `NOT_FOUND` when the stream is gone. */
  read(after: number, limit: number): Promise<Slice<T>>;
  /**
   * Whether a reader's entries after a cursor are the same, whatever the cursor: then those of the moments before are
   * read once for all who come back. A draft's are not, they are put together for each reader.
   */
  readonly sharesEntries: boolean;
  /** What a hint says by itself, so that the log need not be read. */
  fromHint(hint: Hint): Slice<T> | undefined;
  /** One entry that stands for both, or `undefined` where `older` must be shown by itself (S2, S3). */
  readonly fold: (older: Entry<T>, newer: Entry<T>) => Entry<T> | undefined;
  /** How many positions behind the head a watch must be before its entries are folded. */
  readonly foldBeyond: number;
  /** The current state as the answer to a cursor that cannot be served (S8): marked, and never empty. */
  markGap(current: Slice<T>): readonly Entry<T>[];
  /** At least this long between two looks at a busy stream, for all its watchers together; 0: none. */
  readonly minIntervalMs: number;
}
