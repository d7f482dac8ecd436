/** A connection's watches that found no room, in the order in which they get it: none can keep another waiting for ever. */
import type { Watch } from "#server/streams/open.ts";

export class ResumeQueue {
  readonly #way: { hasRoom(): boolean };
  /** Most connections never need it. */
  #waiting: Set<Watch> | undefined;

  constructor(way: { hasRoom(): boolean }) {
    this.#way = way;
  }

  add(watch: Watch): void {
    this.#waiting ??= new Set();
    this.#waiting.add(watch);
  }

  delete(watch: Watch): void {
    this.#waiting?.delete(watch);
  }

  /** There is room: they go on, one after the other, while there is. */
  resume(): void {
    if (this.#waiting === undefined) return;
    // Whoever finds the room taken again by those before goes to the end of the line.
    for (const watch of this.#waiting) {
      if (!this.#way.hasRoom()) return;
      this.#waiting.delete(watch);
      watch.resume();
    }
  }
}
