/**
 * Encodes entries of our own streams as frames of a tRPC WebSocket. Each entry is serialised once, and the request's id is
 * spliced in front. Watchers with the same entries and the same request id share the bytes.
 */
import type { Entry } from "#server/streams/open.ts";
import { type Chunk, chunksOf, type Message } from "#server/transports/sockets/chunks.ts";
import { createCompressedFrames } from "#server/transports/sockets/compressed-frames.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { memoizePerTick } from "#server/transports/sockets/memoize-per-tick.ts";
import type { Format } from "./ws-format.ts";

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

/** All connections of an encoding share the result. `serialize` is the transformer's. */
export function createFrames<Rest>(
  { restOf, frameOf, bodyOf }: Pick<Format<Rest>, "restOf" | "frameOf" | "bodyOf">,
  serialize: (data: unknown) => unknown,
): FramesOf {
  const restOfEntry = memoizePerTick(({ pos, value }: Entry<unknown>) => {
    const id = String(pos);
    return { rest: restOf(id, serialize({ id, data: value })) };
  });
  const byHead = memoizePerTick<readonly Entry<unknown>[], Map<string, readonly Chunk[]>>(
    () => new Map(),
  );
  const compressedOf =
    bodyOf && createCompressedFrames((entry: Entry<unknown>) => [bodyOf(restOfEntry(entry).rest)]);
  return (entries, head, compression, sent) => {
    if (compression !== undefined && compressedOf !== undefined) {
      return compressedOf(entries, head, compression, sent);
    }
    const known = byHead(entries);
    let chunks = known.get(head);
    if (chunks === undefined) {
      chunks = chunksOf(entries.map((entry) => frameOf(head, restOfEntry(entry).rest)));
      known.set(head, chunks);
    }
    return chunks;
  };
}
