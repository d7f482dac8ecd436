/**
 * The bodies that the next messages may refer to: the last compressed one of each stream, in memory once for all of its
 * watchers, and as long as it is the last one of any. Beyond a number of bytes the oldest are forgotten.
 */
import type { Message } from "./chunks.ts";

export class HistoryMessage implements Message {
  body: Buffer | undefined;
  /** Subscriptions whose last message it is. */
  watchers = 0;
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  retain(): void {
    this.watchers += 1;
  }

  release(): void {
    this.watchers -= 1;
    if (this.watchers === 0) this.#history.abandoned(this);
  }
}

export class History {
  readonly #maxBytes: number;
  /** In the order in which they were kept. */
  readonly #kept = new Set<HistoryMessage>();
  #bytes = 0;
  readonly #abandoned = new Set<HistoryMessage>();
  #isDue = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Keeps the body of a message that is about to be the last one of some subscriptions. If it becomes that of none, because it
   * could not be written, it is forgotten at the end of the tick.
   */
  keep(message: HistoryMessage, body: Buffer): void {
    if (this.#kept.has(message)) return;
    message.body = body;
    this.#kept.add(message);
    this.#bytes += body.length;
    this.abandoned(message);
  }

  /** It is forgotten at the end of the tick, in which other subscriptions may still need it. */
  abandoned(message: HistoryMessage): void {
    this.#abandoned.add(message);
    this.#tidySoon();
  }

  #tidySoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#tidy());
  }

  #tidy(): void {
    this.#isDue = false;
    for (const message of this.#abandoned) if (message.watchers === 0) this.#forget(message);
    this.#abandoned.clear();
    for (const message of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(message);
    }
  }

  #forget(message: HistoryMessage): void {
    if (!this.#kept.delete(message)) return;
    this.#bytes -= message.body?.length ?? 0;
    message.body = undefined;
  }
}
