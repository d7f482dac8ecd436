/**
 * The requests of one connection: run in their order, a few at a time, and only while the writer has room for answers. So a
 * client may send any number, even while the engine is slow, and its unread answers stay bounded.
 */
import type { ConnectionWriter } from "./connection-writer.ts";

/** As many subscriptions as the engine opens at the same speed as all at once. */
const MAX_RUNNING_REQUESTS = 64;
/** More than a client sends that subscribes up to its limit. */
const HIGH_WATER_REQUESTS = 2048;
/** The high-water mark, plus the smallest requests that one read from a socket can hold. */
const MAX_WAITING_REQUESTS = 8192;

/** Resolves after the answer was sent. Must not reject. */
type Run = () => Promise<void>;

type Writer = Pick<ConnectionWriter, "isFull" | "pauseReading" | "resumeReading">;

interface Owner {
  /** Called for a request that exceeds the limit. It does not run. */
  overflowed(): void;
}

export class RequestQueue {
  readonly #writer: Writer;
  readonly #owner: Owner;
  #running = 0;
  /** Most connections never need it. */
  #waiting: Set<Run> | undefined;
  #isReading = true;

  constructor(writer: Writer, owner: Owner) {
    this.#writer = writer;
    this.#owner = owner;
  }

  /** Runs it at once if nothing else waits and the writer has room. */
  add(run: Run): void {
    if ((this.#waiting?.size ?? 0) === 0 && this.#hasRoom()) return this.#start(run);
    this.#waiting ??= new Set();
    if (this.#waiting.size >= MAX_WAITING_REQUESTS) return this.#owner.overflowed();
    this.#waiting.add(run);
    this.resume();
  }

  /** Call it when the writer drains. */
  resume(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    for (const run of waiting) {
      if (!this.#hasRoom()) break;
      waiting.delete(run);
      this.#start(run);
    }
    this.#readUnlessLong(waiting.size);
  }

  #hasRoom(): boolean {
    return this.#running < MAX_RUNNING_REQUESTS && !this.#writer.isFull();
  }

  #start(run: Run): void {
    this.#running += 1;
    void run().finally(() => {
      this.#running -= 1;
      this.resume();
    });
  }

  /** Call it when the client leaves. Its connection may stay open, and join again. */
  clear(): void {
    this.#waiting?.clear();
    this.#readUnlessLong(0);
  }

  #readUnlessLong(length: number): void {
    const isShort = length < HIGH_WATER_REQUESTS;
    if (isShort === this.#isReading) return;
    this.#isReading = isShort;
    if (isShort) this.#writer.resumeReading();
    else this.#writer.pauseReading();
  }
}
