/**
 * One watcher: a cursor and a sink. There is no queue here. While the sink takes entries it is pushed each one
 * as it comes; when it is full the watch only remembers where it is, and on `resume()` it catches up from the
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
  /** Takes one entry. `false`: this one was taken, but no more until `resume()` is called. */
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

export function openWatch<T>(tail: Tail<T>, sink: Sink<T>, options: WatchOptions): Watch {
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
      if (open && cursor === undefined) deliverCurrent(await source.current(), false);
    } catch (error) {
      finish(reasonOf(error));
    }
    busy = false;
    pump();
  }

  function pump(): void {
    while (open && ready && !busy && cursor !== undefined) {
      if (cursor > tail.head && cursor === confirmed) {
        if (tail.failure !== undefined) finish(tail.failure);
        return;
      }
      const slice = cursor > tail.head ? undefined : tail.since(cursor);
      busy = true;
      if (slice === undefined) {
        void catchUp(cursor);
        return;
      }
      deliver(slice, cursor);
      busy = false;
      if (slice.entries.length === 0) {
        whole = false;
        if (tail.failure !== undefined) finish(tail.failure);
        return;
      }
    }
  }

  function deliver(slice: Slice<T>, from: number): void {
    const folder = createFolder(foldingFrom(from, slice), push);
    if (slice.entries.every(folder.add) && folder.flush()) endIfSettled(slice);
  }

  /** Reads the log from `from` on, to its end or until the sink is full. */
  async function catchUp(from: number): Promise<void> {
    try {
      let slice = await source.read(from, READ_LIMIT);
      if (slice.head < from) {
        const current = await source.current();
        if (open) deliverCurrent(current, true);
      } else {
        // One folder over all slices, so that a long absence costs one entry and not one a slice.
        const folder = createFolder(foldingFrom(from, slice), push);
        while (open && slice.entries.every(folder.add) && slice.entries.length === READ_LIMIT) {
          slice = await source.read((slice.entries.at(-1) as Entry<T>).pos, READ_LIMIT);
        }
        if (open && ready && folder.flush()) {
          cursor = Math.max(cursor ?? 0, slice.entries.at(-1)?.pos ?? slice.head);
          confirmed = cursor;
          endIfSettled(slice);
          if (cursor > tail.head) tail.refresh();
        }
      }
    } catch (error) {
      busy = false;
      // Unreadable for the moment: the regular look wakes us again. Anything else is final.
      if (error instanceof AppError && error.code === "UNAVAILABLE") return;
      return finish(reasonOf(error));
    }
    busy = false;
    pump();
  }

  function foldingFrom(from: number, slice: Slice<T>): Source<T>["fold"] {
    return !whole && slice.head - from > source.foldBeyond ? source.fold : () => undefined;
  }

  function deliverCurrent(slice: Slice<T>, gap: boolean): void {
    cursor = slice.entries.at(-1)?.pos ?? slice.head;
    for (const entry of gap ? source.markGap(slice) : slice.entries) {
      // The current state is one picture: it is delivered whole, also to a sink that fills up on the way.
      if (open) ready = sink.push(entry) && ready;
    }
    endIfSettled(slice);
  }

  /** `false`: stop pushing. */
  function push(entry: Entry<T>): boolean {
    cursor = entry.pos;
    ready = sink.push(entry);
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
    open = false;
    forget();
  }

  return {
    resume() {
      ready = true;
      pump();
    },
    stop,
  };
}

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
