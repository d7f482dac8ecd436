/**
 * One watcher: a cursor and a sink. There is no queue here. While the sink takes entries it is pushed each one
 * as it comes; when it refuses one the watch only remembers where it is, and on `resume()` it catches up from the
 * tail or the log, folded (S2, S7).
 *
 * What is delivered next is always "whatever comes after the cursor", wherever it is read from. That is why
 * nothing is lost or doubled between replay and live (S5).
 */
import { AppError, messageOf } from "#shared/errors.ts";
import { isUnreadable } from "./readable.ts";
import type { Entry, Slice, Source } from "./source.ts";
import type { Tail } from "./tail.ts";

/** Where a watch delivers. */
export interface Sink<T> {
  /**
   * Takes entries from the front of a list that has some, and says how many. Where it is fewer than all, none are
   * offered until `resume()` is called, which must not happen within `push`. Watches that are at the same place
   * are given the same list, so that what is made of it can be shared.
   */
  push(entries: readonly Entry<T>[]): number;
  /** The last call: the stream settled (no reason), or it cannot be served. Not called after `stop()`. */
  end(reason?: AppError): void;
}

export interface Watch {
  /** The sink can take entries again. */
  resume(): void;
  /** The watcher left. Nothing is delivered after this. */
  stop(): void;
}

export interface WatchOptions {
  /** The newest position that the watcher has; `undefined`: start with the current state; 0: everything. */
  after: number | undefined;
  /** Stay after the stream settled (S10). */
  follow: boolean;
}

const READ_LIMIT = 256;
/** In place of a cursor: what the watcher has is not so any more. It is shown the current state, marked (S8). */
const LOST = -1;

/** `onOver` is called once, when the watch is over in whatever way. */
export function openWatch<T>(
  tail: Tail<T>,
  sink: Sink<T>,
  options: WatchOptions,
  onOver: () => void,
): Watch {
  const watch = new OpenWatch(tail, sink, options, onOver);
  void watch.start();
  return watch;
}

/** A class, because there are many: functions of its own would weigh more than everything else of a watch. */
class OpenWatch<T> implements Watch {
  readonly #tail: Tail<T>;
  readonly #sink: Sink<T>;
  readonly #onOver: () => void;
  readonly #follow: boolean;
  /** `undefined` until the current state was delivered; or `LOST`. */
  #cursor: number | undefined;
  /** The newest cursor that the log itself confirmed to be its end, while the tail has not heard of it yet. */
  #confirmed = LOST;
  /** A replay of everything is not folded: its reader asked for the log. */
  #whole: boolean;
  #open = true;
  #ready = true;
  /** Something is under way that goes on by itself, and serves whoever wakes us in the meantime. */
  #busy = true;

  constructor(tail: Tail<T>, sink: Sink<T>, options: WatchOptions, onOver: () => void) {
    this.#tail = tail;
    this.#sink = sink;
    this.#onOver = onOver;
    this.#follow = options.follow;
    this.#cursor = options.after;
    this.#whole = options.after === 0;
    tail.listeners.add(this);
  }

  async start(): Promise<void> {
    try {
      await this.#tail.opened;
    } catch (error) {
      return this.#finish(reasonOf(error));
    }
    this.#busy = false;
    this.wake();
  }

  resume(): void {
    this.#ready = true;
    this.wake();
  }

  stop(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#tail.listeners.delete(this);
    this.#onOver();
  }

  lost(): void {
    // Who was shown nothing yet has nothing that is wrong.
    if (this.#cursor !== undefined) this.#cursor = LOST;
    this.#confirmed = LOST;
  }

  /** The tail has grown. */
  wake(): void {
    const tail = this.#tail;
    while (this.#open && this.#ready && !this.#busy) {
      const cursor = this.#cursor;
      if (cursor === undefined || cursor === LOST) {
        return void this.#goOnAfter(this.#showCurrent(cursor === LOST));
      }
      if (cursor > tail.head && cursor === this.#confirmed) return this.#finishIfFailed();
      const slice = cursor > tail.head ? undefined : tail.since(cursor);
      if (slice === undefined) return void this.#goOnAfter(this.#catchUp(cursor));
      this.#busy = true;
      this.#deliver(slice, cursor);
      this.#busy = false;
      // What came while it was delivered is asked for now.
      if (slice.entries.length === 0 || (this.#ready && (this.#cursor ?? 0) >= tail.head)) {
        this.#whole = false;
        return this.#finishIfFailed();
      }
    }
  }

  async #goOnAfter(step: Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await step;
    } catch (error) {
      this.#busy = false;
      // The regular look wakes us again.
      if (!isUnreadable(error)) this.#finish(reasonOf(error));
      return;
    }
    this.#busy = false;
    this.wake();
  }

  #deliver(slice: Slice<T>, from: number): void {
    const isNear = this.#isNear(from, slice);
    const entries = isNear ? slice.entries : folded(slice.entries, this.#tail.source.fold);
    if (this.#offer(entries)) this.#endIfSettled(slice);
  }

  /** Reads the log from `from` on, to its end or until the sink is full. */
  async #catchUp(from: number): Promise<void> {
    const tail = this.#tail;
    const { losses } = tail;
    let slice = await tail.read(from, READ_LIMIT);
    // What somebody was told a moment ago may be older than this cursor.
    if (slice.head < from) slice = await tail.source.read(from, READ_LIMIT);
    if (tail.losses !== losses) return;
    if (slice.head < from) return this.#showCurrent(true);
    const fold = this.#isNear(from, slice) ? undefined : tail.source.fold;
    let entries: readonly Entry<T>[] = slice.entries;
    while (slice.entries.length === READ_LIMIT) {
      if (fold !== undefined) entries = folded(entries, fold);
      // The last one may be folded into what follows, so that a long absence costs one entry and not one a slice.
      const keep = fold === undefined ? 0 : 1;
      if (!this.#offer(entries.slice(0, entries.length - keep))) return;
      slice = await tail.read((slice.entries.at(-1) as Entry<T>).pos, READ_LIMIT);
      if (tail.losses !== losses) return;
      entries = [...entries.slice(entries.length - keep), ...slice.entries];
    }
    if (!this.#offer(fold === undefined ? entries : folded(entries, fold))) return;
    this.#arrive(Math.max(this.#cursor ?? 0, slice.entries.at(-1)?.pos ?? slice.head), slice);
  }

  /** What the sink refuses of it follows the cursor, as everything does. */
  async #showCurrent(gap: boolean): Promise<void> {
    const { source, losses } = this.#tail;
    const slice = await this.#tail.current();
    if (this.#tail.losses !== losses) return;
    const entries = gap ? source.markGap(slice) : slice.entries;
    if (!this.#offer(entries)) return;
    this.#arrive(entries.at(-1)?.pos ?? slice.head, slice);
  }

  /** At the end of the log, as it was read. The tail may not have heard of it yet. */
  #arrive(cursor: number, slice: Slice<T>): void {
    this.#cursor = cursor;
    this.#confirmed = cursor;
    this.#endIfSettled(slice);
    if (cursor > this.#tail.head) this.#tail.refresh();
  }

  #isNear(from: number, slice: Slice<T>): boolean {
    return this.#whole || slice.head - from <= this.#tail.source.foldBeyond;
  }

  /** `false`: offer no more. */
  #offer(entries: readonly Entry<T>[]): boolean {
    if (!this.#open) return false;
    if (entries.length === 0) return true;
    const taken = this.#sink.push(entries);
    if (taken > 0) this.#cursor = (entries[taken - 1] as Entry<T>).pos;
    this.#ready = taken === entries.length;
    return this.#open && this.#ready;
  }

  #endIfSettled(slice: Slice<T>): void {
    const { ended, head } = slice;
    if (ended && !this.#follow && this.#cursor !== undefined && this.#cursor >= head) {
      this.#finish();
    }
  }

  #finishIfFailed(): void {
    if (this.#tail.failure !== undefined) this.#finish(this.#tail.failure);
  }

  #finish(reason?: AppError): void {
    if (!this.#open) return;
    this.stop();
    this.#sink.end(reason);
  }
}

/** Where an entry can be folded into the next one, only that stands for both. */
function folded<T>(entries: readonly Entry<T>[], fold: Source<T>["fold"]): Entry<T>[] {
  const kept: Entry<T>[] = [];
  for (const entry of entries) {
    const last = kept.at(-1);
    const both = last && fold(last, entry);
    if (both === undefined) kept.push(entry);
    else kept[kept.length - 1] = both;
  }
  return kept;
}

export function reasonOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("INTERNAL", messageOf(error), { cause: error });
}
