/**
 * The newest entries of one watched stream, in memory once for all who watch it.
 *
 * The tail is filled from the log only: a hint either carries the very next entry, or it makes the tail read.
 * So a lost, late, doubled or reordered hint changes nothing but the time. Reads never overlap.
 *
 * A log can lose its end: a Redis that fails over forgets what had not reached the replica. So a read begins with the
 * newest entry that is known, as in Raft: where that is not what it was, the tail goes back and says so (S8).
 */
import { isDeepStrictEqual } from "node:util";
import type { Hint } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { whenReadable } from "./readable.ts";
import { createRequestCoalescer } from "./request-coalescer.ts";
import type { Entry, Slice, Source } from "./source.ts";

/** Entries kept for those who come back a moment later; older ones are read from the log. */
const KEEP = 256;
const READ_LIMIT = 256;

export interface Tail<T> {
  readonly source: Source<T>;
  /** Resolves when hints flow and the newest position is known. */
  readonly opened: Promise<void>;
  /** Why this stream cannot be served any more (it was deleted), once that is known. */
  readonly failure: AppError | undefined;
  /** The newest position that is known here. */
  readonly head: number;
  /** How often the log was found to have lost its end: what was read before the last time is not so any more. */
  readonly losses: number;
  /** Everything after `cursor` (`head` at most), or `undefined` where the log must be asked. */
  since(cursor: number): Slice<T> | undefined;
  /** As the source's. Who asks for the same while nothing new has come is given the same. */
  read(after: number, limit: number): Promise<Slice<T>>;
  current(): Promise<Slice<T>>;
  /** Looks into the log for what hints did not tell. */
  refresh(): void;
  /** The regular look: `refresh()`, and everyone who listens tries again what may have failed. */
  look(): void;
  /** Are woken when it has grown: once for what comes within one tick. */
  readonly listeners: Set<Listener>;
  close(): void;
}

export interface Listener {
  wake(): void;
  /** `losses` has grown; `wake` follows. */
  lost(): void;
}

type Listen = (listener: (hint: Hint) => void) => Promise<() => void>;

/** Whether a log that was read from before `head` on, where `last` was, is not the one that is known. */
function hasLost<T>(slice: Slice<T>, head: number, last: Entry<T> | undefined): boolean {
  if (slice.head < head) return true;
  const [first] = slice.entries;
  const isThere = first?.pos === head && last?.pos === head;
  return isThere && !isDeepStrictEqual(first.value, last.value);
}

export function openTail<T>(source: Source<T>, listen: Listen): Tail<T> {
  const listeners = new Set<Listener>();
  let entries: Entry<T>[] = [];
  /** Every entry with `pos > from` is in `entries`. */
  let from = 0;
  let head = 0;
  /** The entry at `head`, where it is known. */
  let newest: Entry<T> | undefined;
  let ended = false;
  let failure: AppError | undefined;
  let losses = 0;
  /** What everyone who listens was woken for. */
  let wokenAt = 0;
  let waking = false;

  const current = createRequestCoalescer<Slice<T>>();
  const slices = createRequestCoalescer<Slice<T>>();
  let filling: Promise<void> | undefined;
  /** Of those who watch live, most ask for what the one before them got. */
  let latest: { cursor: number; slice: Slice<T> } | undefined;

  let closed = false;
  let unlisten: (() => void) | undefined;
  /** From the beginning: the first read says where the tail starts. */
  let reading = true;
  let readAgain = false;
  let nextLook = 0;
  let timer: NodeJS.Timeout | undefined;

  const opened = open();
  // Whoever watches awaits it and is told.
  opened.catch(() => {});

  async function open(): Promise<void> {
    const isOpen = () => !closed;
    const stop = await whenReadable(() => listen(onHint), isOpen);
    if (closed) return stop();
    unlisten = stop;
    const now = await whenReadable(() => source.read(Number.MAX_SAFE_INTEGER, 1), isOpen);
    from = head = now.head;
    ended = now.ended;
    // Hints of the meantime were not taken.
    reading = false;
    refresh();
  }

  function onHint(hint: Hint): void {
    current.forget();
    slices.forget();
    const told = source.fromHint(hint);
    const next = told?.entries[0];
    if (told !== undefined && next !== undefined && !reading && next.pos === head + 1) {
      append(told);
    } else if (next === undefined || next.pos > head) {
      refresh();
    }
  }

  function refresh(): void {
    if (closed || timer !== undefined) return;
    const wait = source.everyMs === 0 ? 0 : nextLook - performance.now();
    if (wait > 0) {
      timer = setTimeout(() => {
        timer = undefined;
        refresh();
      }, wait);
      return;
    }
    if (reading) {
      readAgain = true;
      return;
    }
    nextLook = performance.now() + source.everyMs;
    reading = true;
    void readOn().finally(() => {
      reading = false;
      if (!readAgain) return;
      readAgain = false;
      refresh();
    });
  }

  async function readOn(): Promise<void> {
    try {
      let slice: Slice<T>;
      do {
        const [known, last] = [head, newest];
        slice = await source.read(
          source.sharesEntries ? Math.max(0, known - 1) : known,
          READ_LIMIT,
        );
        if (closed) return;
        if (hasLost(slice, known, last)) goBack(slice);
        else append(slice);
      } while (slice.entries.length === READ_LIMIT);
    } catch (error) {
      // The stream was deleted. Whatever else it is may be over when the hub looks again.
      if (!(error instanceof AppError) || error.code !== "NOT_FOUND") return;
      failure = error;
      wake();
    }
  }

  /** Everybody begins with what there is now. */
  function goBack({ entries: left, head: newHead, ended: nowEnded }: Slice<T>): void {
    losses += 1;
    newest = left.at(-1);
    entries = [];
    from = head = newest?.pos ?? newHead;
    ended = nowEnded && head >= newHead;
    latest = undefined;
    current.forget();
    slices.forget();
    for (const listener of listeners) listener.lost();
    wake();
  }

  /** Takes in what came shortly before the tail was opened, for all who come back from there. */
  async function fill(): Promise<void> {
    const start = Math.max(0, head - KEEP);
    const before = losses;
    const slice = await source.read(start, KEEP);
    const last = slice.entries.at(-1)?.pos;
    if (closed || losses > before || last === undefined || last < from) return;
    entries = [...slice.entries, ...entries.filter(({ pos }) => pos > last)];
    from = start;
    latest = undefined;
    append({ entries: [], head: last, ended: slice.ended && last >= slice.head });
  }

  async function read(after: number, limit: number): Promise<Slice<T>> {
    if (source.sharesEntries && after < from && head - after < KEEP) {
      await (filling ??= fill().finally(() => (filling = undefined)));
      const slice = since(after);
      if (slice !== undefined) return slice;
    }
    return slices.get(after, () => source.read(after, limit));
  }

  function since(cursor: number): Slice<T> | undefined {
    if (cursor < from) return undefined;
    if (latest?.cursor === cursor) return latest.slice;
    let start = entries.length;
    while (start > 0 && (entries[start - 1] as Entry<T>).pos > cursor) start -= 1;
    const slice = { entries: entries.slice(start), head, ended };
    latest = { cursor, slice };
    return slice;
  }

  function append(slice: Slice<T>): void {
    const last = slice.entries.at(-1)?.pos;
    const newHead = last ?? slice.head;
    const changed = newHead > head || slice.ended !== ended;
    if (newHead < head) return;
    latest = undefined;
    if (changed) {
      // What was read before is older than this.
      current.forget();
      slices.forget();
    }
    // Another read may have brought the first of them already.
    for (const entry of slice.entries) if (entry.pos > head) entries.push(entry);
    if (last !== undefined) newest = slice.entries.at(-1);
    if (entries.length > KEEP) {
      const dropped = entries.splice(0, entries.length - KEEP);
      from = dropped.at(-1)?.pos ?? from;
    }
    head = newHead;
    ended = slice.ended && newHead >= slice.head;
    if (changed) wakeSoon();
  }

  /** What comes within one tick is delivered together, unless it is so much that it would be folded. */
  function wakeSoon(): void {
    if (head - wokenAt >= source.foldBeyond) return wake();
    if (waking) return;
    waking = true;
    queueMicrotask(() => {
      waking = false;
      wake();
    });
  }

  function wake(): void {
    wokenAt = head;
    for (const listener of listeners) listener.wake();
  }

  return {
    source,
    opened,
    get failure() {
      return failure;
    },
    get head() {
      return head;
    },
    get losses() {
      return losses;
    },
    since,
    read,
    current: () => current.get("", () => source.current()),
    refresh,
    look() {
      refresh();
      wake();
    },
    listeners,
    close() {
      closed = true;
      clearTimeout(timer);
      unlisten?.();
    },
  };
}
