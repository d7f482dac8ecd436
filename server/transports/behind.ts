/** A connection's watches that found no room, in the order in which they get it: none can keep another waiting for ever. */
import type { Watch } from "#server/streams/open.ts";

export interface Behind {
  add(watch: Watch): void;
  delete(watch: Watch): void;
  /** There is room: they go on, one after the other, while there is. */
  resume(): void;
}

export function createBehind(hasRoom: () => boolean): Behind {
  const waiting = new Set<Watch>();
  return {
    add: (watch) => void waiting.add(watch),
    delete: (watch) => void waiting.delete(watch),
    resume() {
      // Whoever finds the room taken again by those before goes to the end of the line.
      for (const watch of waiting) {
        if (!hasRoom()) return;
        waiting.delete(watch);
        watch.resume();
      }
    },
  };
}
