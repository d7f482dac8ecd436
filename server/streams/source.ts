/**
 * How one stream is read. A position is a number that only grows; it is the cursor on every transport (S9).
 * All differences between streams are here: the tail and the watch know no stream by name.
 */
import type { Hint, StreamRef } from "#server/engine/contract.ts";

export interface Entry<T> {
  readonly pos: number;
  readonly value: T;
}

/** One consistent read of a stream. */
export interface Slice<T> {
  readonly entries: readonly Entry<T>[];
  /** The newest position of the stream at that moment. */
  readonly head: number;
  /** The entry at `head` settled the stream: a watch that has delivered it may end (S10). */
  readonly ended: boolean;
}

export interface Source<T> {
  /** All watches of this stream share one tail. */
  readonly ref: StreamRef;
  /** Differs for sources that show the same stream in different ways: each of them has a tail. */
  readonly variant?: string;
  /** The current state (S4). Rejects with `NOT_FOUND` when the stream is gone. */
  current(): Promise<Slice<T>>;
  /** Entries with `pos > after`, in order, `limit` at most. Rejects with `NOT_FOUND` when the stream is gone. */
  read(after: number, limit: number): Promise<Slice<T>>;
  /**
   * `true`: an entry is the same for each cursor before it, so a tail can read older entries once for all watchers. A
   * draft's frame depends on the cursor.
   */
  readonly sharesEntries: boolean;
  /** How many entries of the usual size this one stands for in memory. Without it, each is one. */
  readonly weigh?: (value: T) => number;
  /** When the change behind an entry was made. Absent: its entries have no time. */
  readonly timeOf?: (value: T) => Date | undefined;
  /** The entry that a hint carries, which saves a read of the log. */
  fromHint(hint: Hint): Slice<T> | undefined;
  /** One entry in place of both, or `undefined` where `older` must be delivered itself (S2, S3). */
  readonly fold: (older: Entry<T>, newer: Entry<T>) => Entry<T> | undefined;
  /** The entries of a watch that is more positions than this behind the head are folded. */
  readonly foldBeyond: number;
  /** The current state as the answer to a cursor that cannot be served (S8): marked, and never empty. */
  markGap(current: Slice<T>): readonly Entry<T>[];
  /** The minimum interval between two reads by the tail of a busy stream; 0: none. */
  readonly minIntervalMs: number;
}
