/**
 * One tail for each stream that somebody watches here, however many watch it: opened by the first, gone with
 * the last. A slow regular look catches what hints never told.
 */
import type { Engine } from "#server/engine/contract.ts";
import type { Source } from "./source.ts";
import { openTail, type Tail } from "./tail.ts";
import { openWatch, type Sink, type Watch, type WatchOptions } from "./watch.ts";

export interface Hub {
  watch<T>(source: Source<T>, sink: Sink<T>, options: WatchOptions): Watch;
  /** How many watches are open, and on how many streams. */
  count(): { watches: number; streams: number };
  close(): void;
}

export function openHub(engine: Pick<Engine, "onAppend">, options: { lookEveryMs: number }): Hub {
  const tails = new Map<string, { tail: Tail<unknown>; watches: number }>();

  const timer = setInterval(() => {
    for (const { tail } of tails.values()) tail.look();
  }, options.lookEveryMs).unref();

  function tailOf<T>(source: Source<T>): { tail: Tail<T>; watches: number } {
    let entry = tails.get(source.key);
    if (entry === undefined) {
      const tail = openTail(source, (listener) => engine.onAppend(source.ref, listener));
      entry = { tail: tail as Tail<unknown>, watches: 0 };
      tails.set(source.key, entry);
    }
    // A key belongs to one source, and so to one type.
    return entry as { tail: Tail<T>; watches: number };
  }

  return {
    watch<T>(source: Source<T>, sink: Sink<T>, watchOptions: WatchOptions): Watch {
      const entry = tailOf(source);
      entry.watches += 1;
      return openWatch(entry.tail, sink, watchOptions, () => {
        entry.watches -= 1;
        if (entry.watches > 0) return;
        tails.delete(source.key);
        entry.tail.close();
      });
    },
    count() {
      let watches = 0;
      for (const entry of tails.values()) watches += entry.watches;
      return { watches, streams: tails.size };
    },
    close() {
      clearInterval(timer);
      for (const { tail } of tails.values()) tail.close();
      tails.clear();
    },
  };
}
