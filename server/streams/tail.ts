/**
 * The tail: the newest entries of one watched stream, in memory once for all of its watches.
 *
 * The tail is filled from the log only: a hint carries the very next entry, or it makes the tail read. So a lost, late,
 * doubled or reordered hint costs time and nothing else. Reads never overlap (`read-scheduler.ts`).
 *
 * A log can be truncated: a Redis that fails over forgets the writes that its replica had not received. So a read begins
 * with the newest known entry, as a follower's does in Raft; where the log has another one, or none, the tail starts
 * anew and its watches show a gap (S8).
 *
 *   opening ── hints flow, and the head is known ──► open ── the log says NOT_FOUND ──► failed
 *
 * `close()` closes from every mode, and `closed` is final. Only an open tail reads and takes hints. A tail that cannot be
 * opened stays `opening`: `opened` rejects, and its watches end.
 */
import type { Hint } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { type DeliveryCounts, newCounts } from "./counts.ts";
import { EntryWindow, isTruncated } from "./entry-window.ts";
import { KEPT_ENTRIES } from "./kept-details.ts";
import { ReadScheduler } from "./read-scheduler.ts";
import { createRequestCoalescer } from "./request-coalescer.ts";
import { retryWhileUnavailable } from "./retry-while-unavailable.ts";
import type { Slice, Source } from "./source.ts";

type State =
  | { readonly mode: "opening" | "open" | "closed" }
  /** The stream was deleted. Its watches end with the reason once they have delivered the rest. */
  | { readonly mode: "failed"; readonly reason: AppError };

const OPENING: State = { mode: "opening" };
const OPEN: State = { mode: "open" };
const CLOSED: State = { mode: "closed" };

const READ_LIMIT = 256;

export interface Tail<T> {
  readonly source: Source<T>;
  /** Resolves when hints flow and the newest position is known. */
  readonly opened: Promise<void>;
  /** Why this stream cannot be served any more (it was deleted), once that is known. */
  readonly failure: AppError | undefined;
  /** Its watches add to them. */
  readonly counts: DeliveryCounts;
  /** The newest position that the tail knows. */
  readonly head: number;
  /** How many truncations of the log the tail has seen. Reads from before the last one are invalid. */
  readonly truncations: number;
  /** Everything after `cursor` (`head` at most), or `undefined` where the log must be read. */
  since(cursor: number): Slice<T> | undefined;
  /** As the source's. Coalesces identical reads until new data arrives. */
  read(after: number, limit: number): Promise<Slice<T>>;
  current(): Promise<Slice<T>>;
  /** Reads from the log the entries that hints did not carry. */
  refresh(): void;
  /** `refresh()`, and wakes all listeners, so that they repeat reads that failed. */
  poll(): void;
  /** Woken when the tail has grown: once for the entries of one tick. */
  readonly listeners: Set<Listener>;
  close(): void;
}

export interface Listener {
  wake(): void;
  /** `truncations` has grown; `wake` follows. */
  truncated(): void;
}

type Listen = (listener: (hint: Hint) => void) => Promise<() => void>;

/** A tail reports to it. */
export interface TailObserver {
  readonly counts: DeliveryCounts;
  /** All watches whose sinks are not full have the change that was made at `at`. Called once for the entries of a tick. */
  onDelivered?: ((at: Date) => void) | undefined;
}

export function openTail<T>(
  source: Source<T>,
  listen: Listen,
  observer: TailObserver = { counts: newCounts() },
): Tail<T> {
  return new OpenTail(source, listen, observer);
}

/** A class, because there may be as many streams as watchers, and closures of each would weigh more than the rest. */
class OpenTail<T> implements Tail<T> {
  readonly source: Source<T>;
  readonly opened: Promise<void>;
  readonly listeners = new Set<Listener>();
  #state = OPENING;
  #truncations = 0;
  readonly #window: EntryWindow<T>;
  readonly #scheduler: ReadScheduler;
  readonly #current = createRequestCoalescer<Slice<T>>();
  readonly #slices = createRequestCoalescer<Slice<T>>();
  #filling: Promise<void> | undefined;
  /** The head at which listeners were woken last. */
  #wokenAt = 0;
  #isWakeQueued = false;
  #unlisten: (() => void) | undefined;
  readonly #observer: TailObserver;

  constructor(source: Source<T>, listen: Listen, observer: TailObserver) {
    this.source = source;
    this.#observer = observer;
    this.#window = new EntryWindow(KEPT_ENTRIES, source.weigh);
    this.#scheduler = new ReadScheduler(() => this.#readOn(), source.minIntervalMs);
    this.opened = this.#open(listen);
    // Watches await it, and end with its reason.
    this.opened.catch(() => {});
  }

  get failure(): AppError | undefined {
    return this.#state.mode === "failed" ? this.#state.reason : undefined;
  }

  get counts(): DeliveryCounts {
    return this.#observer.counts;
  }

  get head(): number {
    return this.#window.head;
  }

  get truncations(): number {
    return this.#truncations;
  }

  since(cursor: number): Slice<T> | undefined {
    return this.#window.since(cursor);
  }

  current(): Promise<Slice<T>> {
    return this.#current.get("", () => this.source.current());
  }

  async read(after: number, limit: number): Promise<Slice<T>> {
    if (this.source.sharesEntries && this.#window.startsShortlyAfter(after)) {
      await (this.#filling ??= this.#fill().finally(() => (this.#filling = undefined)));
      const slice = this.#window.since(after);
      if (slice !== undefined) return slice;
    }
    return this.#slices.get(after, () => this.source.read(after, limit));
  }

  refresh(): void {
    if (this.#isOpen()) this.#scheduler.request();
  }

  poll(): void {
    this.refresh();
    this.#wake();
  }

  close(): void {
    this.#state = CLOSED;
    this.#scheduler.close();
    this.#unlisten?.();
  }

  #isOpen(): boolean {
    return this.#state.mode === "open";
  }

  #isClosed(): boolean {
    return this.#state.mode === "closed";
  }

  async #open(listen: Listen): Promise<void> {
    const { source } = this;
    const isWanted = () => !this.#isClosed();
    const unlisten = await retryWhileUnavailable(
      () => listen((hint) => this.#onHint(hint)),
      isWanted,
    );
    if (this.#isClosed()) return unlisten();
    this.#unlisten = unlisten;
    const end = await retryWhileUnavailable(
      () => source.read(Number.MAX_SAFE_INTEGER, 1),
      isWanted,
    );
    if (this.#isClosed()) return;
    this.#window.reset({ ...end, entries: [] });
    this.#state = OPEN;
    // Hints of the meantime were not taken.
    this.refresh();
  }

  #onHint(hint: Hint): void {
    this.#forgetReads();
    const carried = this.source.fromHint(hint);
    const next = carried?.entries[0];
    const isNext = next !== undefined && next.pos === this.head + 1;
    if (carried !== undefined && isNext && this.#isOpen() && !this.#scheduler.isReading()) {
      this.#append(carried);
    } else if (next === undefined || next.pos > this.head) {
      this.refresh();
    }
  }

  /** Reads to the end of the log. Never rejects. */
  async #readOn(): Promise<void> {
    const { source } = this;
    try {
      let slice: Slice<T>;
      do {
        const { head, newest } = this.#window;
        const after = source.sharesEntries ? Math.max(0, head - 1) : head;
        slice = await source.read(after, READ_LIMIT);
        if (!this.#isOpen()) return;
        if (isTruncated(slice, head, newest)) this.#truncate(slice);
        else this.#append(slice);
      } while (slice.entries.length === READ_LIMIT);
    } catch (error) {
      // After any other error the next poll reads again.
      if (!(error instanceof AppError) || error.code !== "NOT_FOUND" || !this.#isOpen()) return;
      this.#state = { mode: "failed", reason: error };
      this.#wake();
    }
  }

  /** Starts anew at the end of the log as it is now. */
  #truncate(slice: Slice<T>): void {
    this.#truncations += 1;
    this.#window.reset(slice);
    this.#forgetReads();
    // Now follows an older state again: it says nothing about how long a delivery takes.
    this.#wokenAt = this.head;
    for (const listener of this.listeners) listener.truncated();
    this.#wake();
  }

  /** Adds the entries from before the tail was opened, for watchers that return with a cursor among them. */
  async #fill(): Promise<void> {
    const start = Math.max(0, this.head - KEPT_ENTRIES);
    const before = this.#truncations;
    const slice = await this.source.read(start, KEPT_ENTRIES);
    if (!this.#isOpen() || this.#truncations > before) return;
    if (this.#window.prepend(start, slice)) this.#onGrowth();
  }

  #append(slice: Slice<T>): void {
    if (this.#window.append(slice)) this.#onGrowth();
  }

  #onGrowth(): void {
    this.#forgetReads();
    this.#wakeSoon();
  }

  /** Kept results of reads are older than the tail now. */
  #forgetReads(): void {
    this.#current.forget();
    this.#slices.forget();
  }

  /** Entries of one tick are delivered together, unless they are so many that they would be folded. */
  #wakeSoon(): void {
    if (this.head - this.#wokenAt >= this.source.foldBeyond) return this.#wake();
    if (this.#isWakeQueued) return;
    this.#isWakeQueued = true;
    queueMicrotask(() => {
      this.#isWakeQueued = false;
      this.#wake();
    });
  }

  #wake(): void {
    const hasGrown = this.head > this.#wokenAt;
    this.#wokenAt = this.head;
    for (const listener of this.listeners) listener.wake();
    if (hasGrown && this.listeners.size > 0) this.#tellDelivered();
  }

  #tellDelivered(): void {
    const { newest } = this.#window;
    const at = newest && this.source.timeOf?.(newest.value);
    if (at !== undefined) this.#observer.onDelivered?.(at);
  }
}
