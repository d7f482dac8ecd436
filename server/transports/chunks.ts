/** Joins the frames of a list of entries: watchers of the same list are written the same bytes. */

export interface Chunk {
  readonly bytes: Uint8Array;
  /** Of how many entries of the list. */
  readonly count: number;
}

/** Small beside what may wait for a socket, so that one chunk more than that does not count. */
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

/** Of one it is that one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}
