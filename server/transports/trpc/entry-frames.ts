/**
 * Encodes entries of our own streams as frames of a tRPC WebSocket. Each entry is serialised once, and the request's id is
 * spliced in front. Watchers with the same entries and the same request id share the bytes.
 */
import type { Entry } from "#server/streams/open.ts";
import { type Chunk, chunksOf } from "#server/transports/sockets/chunks.ts";
import { memoizePerTick } from "#server/transports/sockets/memoize-per-tick.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";

/** Returns the frames of entries for a watcher whose answers begin with `head`. */
export type FramesOf = (entries: readonly Entry<unknown>[], head: string) => readonly Chunk[];

/** All connections share the result. `encode` returns the text of an entry after `head`. */
export function createFrames(encode: (id: string, data: unknown) => string): FramesOf {
  const textOf = memoizePerTick(({ pos, value }: Entry<unknown>) => encode(String(pos), value));
  const byHead = memoizePerTick<readonly Entry<unknown>[], Map<string, readonly Chunk[]>>(
    () => new Map(),
  );
  return (entries, head) => {
    const known = byHead(entries);
    let chunks = known.get(head);
    if (chunks === undefined) {
      chunks = chunksOf(entries.map((entry) => textFrame(head + textOf(entry))));
      known.set(head, chunks);
    }
    return chunks;
  };
}
