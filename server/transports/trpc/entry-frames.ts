/**
 * Encodes entries of our own streams as frames of a tRPC WebSocket. Each entry is serialised once, and the request's id is
 * spliced in front. Watchers with the same entries and the same request id share the bytes.
 */
import type { Entry } from "#server/streams/open.ts";
import { type Chunk, chunksOf, type Message } from "#server/transports/sockets/chunks.ts";
import { createCompressedFrames } from "#server/transports/sockets/compressed-frames.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { memoizePerTick } from "#server/transports/sockets/memoize-per-tick.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";

/**
 * Returns the frames of entries for a watcher whose answers begin with `head`. `compression`: what its client can inflate.
 * `sent`: the last compressed message of its subscription.
 */
export type FramesOf = (
  entries: readonly Entry<unknown>[],
  head: string,
  compression?: Compression,
  sent?: Message,
) => readonly Chunk[];

/** All connections share the result. `encode` returns the text of an entry after `head`. */
export function createFrames(encode: (id: string, data: unknown) => string): FramesOf {
  const textOf = memoizePerTick(({ pos, value }: Entry<unknown>) => encode(String(pos), value));
  const byHead = memoizePerTick<readonly Entry<unknown>[], Map<string, readonly Chunk[]>>(
    () => new Map(),
  );
  const compressedOf = createCompressedFrames((entry: Entry<unknown>) => [
    Buffer.from(textOf(entry)),
  ]);
  return (entries, head, compression, sent) => {
    if (compression !== undefined) return compressedOf(entries, head, compression, sent);
    const known = byHead(entries);
    let chunks = known.get(head);
    if (chunks === undefined) {
      chunks = chunksOf(entries.map((entry) => textFrame(head + textOf(entry))));
      known.set(head, chunks);
    }
    return chunks;
  };
}
