/**
 * One watcher: a cursor and a sink. There is no queue here. While the sink takes entries it is pushed each one
 * as it comes; when it refuses one the watch only remembers where it is, and on `resume()` it catches up from the
 * tail or the log, folded (S2, S7).
 *
 * What is delivered next is always "whatever comes after the cursor", wherever it is read from. That is why
 * nothing is lost or doubled between replay and live (S5).
 */
import { AppError, messageOf } from "#shared/errors.ts";
import type { Entry, Slice, Source } from "./source.ts";
import type { Tail } from "./tail.ts";

/** Where a watch delivers. */
export interface Sink<T> {
  /**
   * Takes one entry. `false`: it was not taken, and no other is offered until `resume()` is called, which must
   * not happen within `push`.
   */
  push(entry: Entry<T>): boolean;
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

/** `onOver` is called once, when the watch is over in whatever way. */
export function openWatch<T>(
  tail: Tail<T>,
  sink: Sink<T>,
  options: WatchOptions,
  onOver: () => void,
): Watch {
  const { source } = tail;
  /** `undefined` until the current state was delivered. */
  let cursor = options.after;
  /** The newest cursor that the log itself confirmed to be its end, while the tail has not heard of it yet. */
  let confirmed = -1;
  /** A replay of everything is not folded: its reader asked for the log. */
  let whole = options.after === 0;
  let open = true;
  let ready = true;
  /** Something is under way that goes on by itself, and serves whoever wakes us in the meantime. */
  let busy = true;

  const forget = tail.onGrowth(pump);
  void start();

  async function start(): Promise<void> {
    try {
      await tail.opened;
    } catch (error) {
      return finish(reasonOf(error));
    }
    busy = false;
    pump();
  }

  function pump(): void {
    while (open && ready && !busy) {
      if (cursor === undefined) return void goOnAfter(showCurrent(false));
      if (cursor > tail.head && cursor === confirmed) {
        if (tail.failure !== undefined) finish(tail.failure);
        return;
      }
      const slice = cursor > tail.head ? undefined : tail.since(cursor);
      if (slice === undefined) return void goOnAfter(catchUp(cursor));
      busy = true;
      deliver(slice, cursor);
      busy = false;
      // What came while it was delivered is asked for now.
      if (slice.entries.length === 0 || (ready && cursor >= tail.head)) {
        whole = false;
        if (tail.failure !== undefined) finish(tail.failure);
        return;
      }
    }
  }

  async function goOnAfter(step: Promise<void>): Promise<void> {
    busy = true;
    try {
      await step;
    } catch (error) {
      busy = false;
      // Unreadable for the moment: the regular look wakes us again. Who was shown nothing yet is told.
      const passes = error instanceof AppError && error.code === "UNAVAILABLE";
      if (!passes || cursor === undefined) finish(reasonOf(error));
      return;
    }
    busy = false;
    pump();
  }

  function deliver(slice: Slice<T>, from: number): void {
    if (isNear(from, slice)) {
      for (const entry of slice.entries) if (!offer(entry)) return;
    } else {
      const folder = createFolder(source.fold, offer);
      if (!slice.entries.every(folder.add) || !folder.flush()) return;
    }
    endIfSettled(slice);
  }

  /** Reads the log from `from` on, to its end or until the sink is full. */
  async function catchUp(from: number): Promise<void> {
    let slice = await tail.read(from, READ_LIMIT);
    if (slice.head < from) return showCurrent(true);
    // One folder over all slices, so that a long absence costs one entry and not one a slice.
    const folder = createFolder(isNear(from, slice) ? NO_FOLD : source.fold, offer);
    while (open && slice.entries.every(folder.add) && slice.entries.length === READ_LIMIT) {
      slice = await tail.read((slice.entries.at(-1) as Entry<T>).pos, READ_LIMIT);
    }
    if (!open || !ready || !folder.flush()) return;
    cursor = Math.max(cursor ?? 0, slice.entries.at(-1)?.pos ?? slice.head);
    confirmed = cursor;
    endIfSettled(slice);
    if (cursor > tail.head) tail.refresh();
  }

  /** What the sink refuses of it follows the cursor, as everything does. */
  async function showCurrent(gap: boolean): Promise<void> {
    const slice = await tail.current();
    const entries = gap ? source.markGap(slice) : slice.entries;
    for (const entry of entries) if (!open || !offer(entry)) return;
    cursor = entries.at(-1)?.pos ?? slice.head;
    endIfSettled(slice);
  }

  function isNear(from: number, slice: Slice<T>): boolean {
    return whole || slice.head - from <= source.foldBeyond;
  }

  /** `false`: offer no more. */
  function offer(entry: Entry<T>): boolean {
    ready = sink.push(entry);
    if (ready) cursor = entry.pos;
    return open && ready;
  }

  function endIfSettled(slice: Slice<T>): void {
    if (slice.ended && !options.follow && cursor !== undefined && cursor >= slice.head) finish();
  }

  function finish(reason?: AppError): void {
    if (!open) return;
    stop();
    sink.end(reason);
  }

  function stop(): void {
    if (!open) return;
    open = false;
    forget();
    onOver();
  }

  return {
    resume() {
      ready = true;
      pump();
    },
    stop,
  };
}

const NO_FOLD = () => undefined;

/** Holds one entry back until it is known that it is not folded into the next. */
function createFolder<T>(fold: Source<T>["fold"], push: (entry: Entry<T>) => boolean) {
  let held: Entry<T> | undefined;
  return {
    /** `false`: the sink is full. What is held was not delivered; the cursor knows that. */
    add(this: void, entry: Entry<T>): boolean {
      const folded = held === undefined ? undefined : fold(held, entry);
      if (folded === undefined && held !== undefined && !push(held)) return false;
      held = folded ?? entry;
      return true;
    },
    flush(this: void): boolean {
      return held === undefined || push(held);
    },
  };
}

function reasonOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("INTERNAL", messageOf(error), { cause: error });
}
