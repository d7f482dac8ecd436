/** The watches of a connection that wait for its drain, first in, first out, so that no watch starves. */
import type { Watch } from "#server/streams/open.ts";

export class ResumeQueue {
  readonly #writer: { isFull(): boolean };
  /** Most connections never need it. */
  #waiting: Set<Watch> | undefined;

  constructor(writer: { isFull(): boolean }) {
    this.#writer = writer;
  }

  add(watch: Watch): void {
    this.#waiting ??= new Set();
    this.#waiting.add(watch);
  }

  delete(watch: Watch): void {
    this.#waiting?.delete(watch);
  }

  /** Call it when the writer drains. Resumes one watch after the other until the writer is full again. */
  resume(): void {
    if (this.#waiting === undefined) return;
    // A watch that finds the writer full again goes to the end of the queue.
    for (const watch of this.#waiting) {
      if (this.#writer.isFull()) return;
      this.#waiting.delete(watch);
      watch.resume();
    }
  }
}
