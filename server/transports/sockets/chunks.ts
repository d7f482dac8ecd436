/** Joins the frames of a list of entries into chunks, so that all watchers of the same list share the bytes. */

/** The part of a compressed message that all of its watchers share (`history.ts`). */
export interface Message {
  /** UTF-8. `undefined` while no later message can refer to it. */
  readonly body: Buffer | undefined;
  /** It is the last message of one more subscription. */
  retain(): void;
  /** It is the last message of one subscription less. */
  release(): void;
}

export interface Chunk {
  readonly bytes: Uint8Array;
  /** The number of entries in this chunk. */
  readonly count: number;
  /** The compressed message that the client must have received last. Absent if the chunk refers to none. */
  readonly after?: Message | undefined;
  /** The last compressed message in this chunk. Absent if none is compressed. */
  readonly last?: Message | undefined;
}

/** Small compared with the high-water mark, which a writer can exceed by one chunk. */
const CHUNK_BYTES = 64 * 1024;

/** `frames`: one for each entry, in order. */
export function chunksOf(frames: readonly Uint8Array[]): Chunk[] {
  const chunks: Chunk[] = [];
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for (const frame of frames) {
    parts.push(frame);
    bytes += frame.length;
    if (bytes < CHUNK_BYTES) continue;
    chunks.push({ bytes: joined(parts), count: parts.length });
    parts = [];
    bytes = 0;
  }
  if (parts.length > 0) chunks.push({ bytes: joined(parts), count: parts.length });
  return chunks;
}

/** Does not copy a single part. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}
