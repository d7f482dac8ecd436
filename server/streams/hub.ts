/**
 * One tail for each watched stream of this process: the first watch opens it, the last one closes it. A slow regular poll
 * finds the entries whose hints were lost.
 */
import type { Engine } from "#server/engine/contract.ts";
import { byStreamKind, newCounts, type StreamKind, type StreamUsage } from "./counts.ts";
import type { Source } from "./source.ts";
import { openTail, type Tail, type TailObserver } from "./tail.ts";
import type { Sink, Watch, WatchOptions } from "./sink.ts";
import { openWatch } from "./watch.ts";
import { streamKey } from "#shared/stream-ref.ts";

export interface Hub {
  watch<T>(source: Source<T>, sink: Sink<T>, options: WatchOptions): Watch;
  /** The numbers of open watches and of watched streams. */
  count(): { watches: number; streams: number };
  usage(): Record<StreamKind, StreamUsage>;
  close(): void;
}

interface Watched<T> {
  kind: StreamKind;
  tail: Tail<T>;
  watches: number;
  /** One of its watches has closed. */
  release(): void;
}

export interface HubOptions {
  pollMs: number;
  /** See `TailObserver`. */
  onDelivered?: TailObserver["onDelivered"];
}

export function openHub(
  engine: Pick<Engine, "onAppend">,
  { pollMs, onDelivered }: HubOptions,
): Hub {
  const tails = new Map<string, Watched<unknown>>();
  const observers = byStreamKind(() => ({
    counts: newCounts(),
    onDelivered,
  }));

  const timer = setInterval(() => {
    for (const { tail } of tails.values()) tail.poll();
  }, pollMs).unref();

  function watched<T>(source: Source<T>): Watched<T> {
    const key = `${streamKey(source.ref)}\n${source.variant ?? ""}`;
    const known = tails.get(key);
    // A key belongs to one stream, and so to one type.
    if (known !== undefined) return known as Watched<T>;
    const kind = source.ref.stream;
    const fresh: Watched<T> = {
      kind,
      tail: openTail(source, (listener) => engine.onAppend(source.ref, listener), observers[kind]),
      watches: 0,
      release() {
        fresh.watches -= 1;
        if (fresh.watches > 0) return;
        tails.delete(key);
        fresh.tail.close();
      },
    };
    tails.set(key, fresh as Watched<unknown>);
    return fresh;
  }

  return {
    watch<T>(source: Source<T>, sink: Sink<T>, watchOptions: WatchOptions): Watch {
      const joined = watched(source);
      joined.watches += 1;
      return openWatch(joined.tail, sink, watchOptions, joined.release);
    },
    count() {
      let watches = 0;
      for (const each of tails.values()) watches += each.watches;
      return { watches, streams: tails.size };
    },
    usage() {
      const usage = byStreamKind((kind) => ({ ...observers[kind].counts, watches: 0, streams: 0 }));
      for (const { kind, watches } of tails.values()) {
        usage[kind].watches += watches;
        usage[kind].streams += 1;
      }
      return usage;
    },
    close() {
      clearInterval(timer);
      for (const { tail } of tails.values()) tail.close();
      tails.clear();
    },
  };
}
