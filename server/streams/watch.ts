/**
 * A watch: a cursor and a sink, and no queue. It delivers the entries after its cursor, from the tail or from the log.
 * Because replay and live are the same question, nothing is lost or doubled between them (S5). While the sink is full
 * the watch keeps its cursor only; after `resume()` it catches up, folded (S2, S7).
 *
 *   mode         event                                      next mode
 *   ──────────   ────────────────────────────────────────   ──────────────────────────────────────────
 *   opening      the tail knows its head                    idle
 *                the tail cannot be opened                  closed
 *   idle         wake, the tail has what follows            delivering
 *                wake, the log has it, or no cursor         reading
 *   delivering   the sink took all                          idle; closed where it settled (S10)
 *                the sink took fewer                        full
 *   reading      the sink took all, the log has no more     idle or ahead; closed where it settled (S10)
 *                the sink took fewer                        full
 *                the log was truncated, or is unavailable   idle
 *                the stream was deleted                     closed
 *   ahead        wake, the tail has read up to the cursor   as idle
 *                wake, the log was truncated                as idle
 *   full         resume()                                   idle
 *   idle, ahead  wake, the stream was deleted               closed
 *   any          stop()                                     closed, which is final
 */
import { AppError, messageOf } from "#shared/errors.ts";
import { folded } from "./fold.ts";
import { isUnavailable } from "./retry-while-unavailable.ts";
import type { Sink, Watch, WatchOptions } from "./sink.ts";
import type { Entry, Slice } from "./source.ts";
import type { Tail } from "./tail.ts";

/**
 * `opening`: the tail does not know its head yet. `idle`: waits for the tail to grow. `delivering`: within `sink.push`,
 * with entries of the tail. `reading`: a read of the log is under way; it goes on by itself. `ahead`: the log confirmed
 * that nothing follows the cursor, and the tail has not read that far. `full`: the sink took fewer than all.
 */
type Mode = "opening" | "idle" | "delivering" | "reading" | "ahead" | "full" | "closed";

/**
 * The newest position that the watcher has. `none`: it starts with the current state (S4). `invalid`: the log was
 * truncated after the watcher had entries of it; the current state follows, marked as a gap (S8).
 * Words in place of objects: there are as many of these as watchers, and they change with each event.
 */
type Cursor = number | "none" | "invalid";

const READ_LIMIT = 256;

/** `onClose` is called once, however the watch ends. */
export function openWatch<T>(
  tail: Tail<T>,
  sink: Sink<T>,
  options: WatchOptions,
  onClose: () => void,
): Watch {
  const watch = new OpenWatch(tail, sink, options, onClose);
  void watch.open();
  return watch;
}

/** A class, because closures of each watch would weigh more than the rest of it. */
class OpenWatch<T> implements Watch {
  readonly #tail: Tail<T>;
  readonly #sink: Sink<T>;
  readonly #onClose: () => void;
  readonly #follow: boolean;
  #mode: Mode = "opening";
  #cursor: Cursor;
  /** A replay of the whole log is not folded, until it has caught up. */
  #unfolded: boolean;

  constructor(tail: Tail<T>, sink: Sink<T>, options: WatchOptions, onClose: () => void) {
    this.#tail = tail;
    this.#sink = sink;
    this.#onClose = onClose;
    this.#follow = options.follow;
    this.#cursor = options.after ?? "none";
    this.#unfolded = options.after === 0;
    tail.listeners.add(this);
  }

  async open(): Promise<void> {
    try {
      await this.#tail.opened;
    } catch (error) {
      return this.#finish(toAppError(error));
    }
    this.#enter("idle");
    this.wake();
  }

  resume(): void {
    if (this.#mode !== "full") return;
    this.#enter("idle");
    this.wake();
  }

  stop(): void {
    if (this.#mode === "closed") return;
    this.#enter("closed");
    this.#tail.listeners.delete(this);
    this.#onClose();
  }

  /** The log was truncated; `wake` follows. */
  truncated(): void {
    if (this.#cursor !== "none") this.#cursor = "invalid";
  }

  /** The tail has grown, was truncated, or has failed. */
  wake(): void {
    switch (this.#mode) {
      case "idle":
        return this.#goOn();
      case "ahead":
        return this.#isAheadOfTail() ? this.#finishIfFailed() : this.#goOn();
      case "opening":
      case "delivering":
      case "reading":
      case "full":
      case "closed":
        return;
      default:
        this.#mode satisfies never;
    }
  }

  /** `closed` is final: a read may end after it. */
  #enter(mode: Mode): void {
    if (this.#mode !== "closed") this.#mode = mode;
  }

  #isAheadOfTail(): boolean {
    return typeof this.#cursor === "number" && this.#cursor > this.#tail.head;
  }

  #goOn(): void {
    const tail = this.#tail;
    let slice: Slice<T> | undefined;
    do {
      const cursor = this.#cursor;
      if (typeof cursor !== "number" || cursor > tail.head) return void this.#read();
      slice = tail.since(cursor);
      if (slice === undefined) return void this.#read();
      if (!this.#deliver(slice, cursor)) return;
      // The tail may have grown within `push`.
    } while (slice.head < tail.head);
    this.#unfolded = false;
    this.#finishIfFailed();
  }

  /** `false`: the sink is full, or the watch is closed. */
  #deliver(slice: Slice<T>, from: number): boolean {
    this.#enter("delivering");
    const isNear = this.#isNear(from, slice);
    const entries = isNear ? slice.entries : folded(slice.entries, this.#tail.source.fold);
    if (!this.#offer(entries, slice.entries.length - entries.length)) return false;
    this.#enter("idle");
    return !this.#finishIfSettled(slice);
  }

  async #read(): Promise<void> {
    this.#enter("reading");
    const cursor = this.#cursor;
    try {
      if (typeof cursor === "number") await this.#catchUp(cursor);
      else await this.#showCurrent(cursor === "invalid");
    } catch (error) {
      if (!isUnavailable(error)) return this.#finish(toAppError(error));
      // The hub's poll wakes the watch again.
      return this.#enter("idle");
    }
    this.wake();
  }

  /** Reads the log from `from` on, to its end or until the sink is full. */
  async #catchUp(from: number): Promise<void> {
    const tail = this.#tail;
    const { truncations } = tail;
    let after = from;
    let slice = await tail.read(after, READ_LIMIT);
    // A coalesced read may have begun before this cursor was given out.
    if (slice.head < from) slice = await tail.source.read(from, READ_LIMIT);
    if (tail.truncations !== truncations) return this.#enter("idle");
    if (slice.head < from) return this.#showCurrent(true);
    const fold = this.#isNear(from, slice) ? undefined : tail.source.fold;
    let entries: readonly Entry<T>[] = slice.entries;
    while (slice.entries.length === READ_LIMIT) {
      const read = entries.length;
      if (fold !== undefined) entries = folded(entries, fold);
      // The last entry may fold into the next slice, so that a long absence costs one entry and not one a slice.
      const keep = fold === undefined ? 0 : 1;
      if (!this.#offer(entries.slice(0, entries.length - keep), read - entries.length)) return;
      after = (slice.entries.at(-1) as Entry<T>).pos;
      slice = await tail.read(after, READ_LIMIT);
      if (tail.truncations !== truncations) return this.#enter("idle");
      entries = [...entries.slice(entries.length - keep), ...slice.entries];
    }
    const last = fold === undefined ? entries : folded(entries, fold);
    if (!this.#offer(last, entries.length - last.length)) return;
    this.#arrive(slice.entries.at(-1)?.pos ?? Math.max(after, slice.head), slice);
  }

  /** Entries that the sink does not take come after the cursor, as all others do. */
  async #showCurrent(gap: boolean): Promise<void> {
    const { source, truncations } = this.#tail;
    const slice = await this.#tail.current();
    if (this.#tail.truncations !== truncations) return this.#enter("idle");
    const entries = gap ? source.markGap(slice) : slice.entries;
    if (!this.#offer(entries)) return;
    if (gap) this.#tail.counts.gaps += 1;
    this.#arrive(entries.at(-1)?.pos ?? slice.head, slice);
  }

  /** The sink has everything up to the end of the log. The tail may not have read that far yet. */
  #arrive(cursor: number, slice: Slice<T>): void {
    this.#cursor = cursor;
    if (this.#finishIfSettled(slice)) return;
    this.#enter(this.#isAheadOfTail() ? "ahead" : "idle");
    if (this.#mode === "ahead") this.#tail.refresh();
  }

  #isNear(from: number, slice: Slice<T>): boolean {
    return this.#unfolded || slice.head - from <= this.#tail.source.foldBeyond;
  }

  /**
   * `false`: the sink is full, or the watch was closed before. `skipped`: how many entries these stand for, beside
   * themselves. They count as folded once the sink has taken all.
   */
  #offer(entries: readonly Entry<T>[], skipped = 0): boolean {
    if (this.#mode === "closed") return false;
    const { counts } = this.#tail;
    if (entries.length > 0) {
      const taken = this.#sink.push(entries);
      counts.delivered += taken;
      if (taken > 0) this.#cursor = (entries[taken - 1] as Entry<T>).pos;
      if (taken < entries.length) {
        counts.paused += 1;
        this.#enter("full");
        return false;
      }
    }
    counts.folded += skipped;
    return true;
  }

  #finishIfSettled({ ended, head }: Slice<T>): boolean {
    const cursor = this.#cursor;
    if (!ended || this.#follow || typeof cursor !== "number" || cursor < head) return false;
    this.#finish();
    return true;
  }

  #finishIfFailed(): void {
    if (this.#tail.failure !== undefined) this.#finish(this.#tail.failure);
  }

  #finish(reason?: AppError): void {
    if (this.#mode === "closed") return;
    this.stop();
    this.#sink.end(reason);
  }
}

export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("INTERNAL", messageOf(error), { cause: error });
}
