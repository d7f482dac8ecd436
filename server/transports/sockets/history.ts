/**
 * The bodies that the next messages may refer to: the last compressed one of each stream, in memory once for all of its
 * watchers. Beyond a number of bytes the oldest are forgotten.
 */
import type { Message } from "./chunks.ts";

export class History {
  readonly #maxBytes: number;
  /** In the order in which they were kept. */
  readonly #kept = new Set<Message>();
  #bytes = 0;
  readonly #superseded = new Set<Message>();
  #isDue = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps the body of a message that was sent last. */
  keep(message: Message, body: Buffer): void {
    if (this.#kept.has(message)) return;
    message.body = body;
    this.#kept.add(message);
    this.#bytes += body.length;
    this.#tidySoon();
  }

  /** Another message has followed this one. It is forgotten at the end of the tick, in which others may still need it. */
  supersede(message: Message): void {
    this.#superseded.add(message);
    this.#tidySoon();
  }

  #tidySoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#tidy());
  }

  #tidy(): void {
    this.#isDue = false;
    for (const message of this.#superseded) this.#forget(message);
    this.#superseded.clear();
    for (const message of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(message);
    }
  }

  #forget(message: Message): void {
    if (!this.#kept.delete(message)) return;
    this.#bytes -= message.body?.length ?? 0;
    message.body = undefined;
  }
}
