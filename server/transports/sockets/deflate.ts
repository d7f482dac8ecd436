/**
 * Deflates the common part of a message, so that all of its watchers can share the bytes (RFC 1951, RFC 7692).
 *
 * A message is a head, which differs from watcher to watcher, and a body. The head goes in front of the deflated body as a
 * stored block, which needs no compression. The body has one of two forms: *alone* it refers to nothing; *after* another
 * body it also refers to that one, which the client's inflater must have seen last.
 *
 * To the inflater, the head of this message stands between the two bodies. So the dictionary is the earlier body and as many
 * NULs: they keep the distances right whatever the head says, and nothing refers to them, as texts of JSON contain none.
 */
import { constants, deflateRawSync } from "node:zlib";

/** On texts of this size, higher levels cost more and save nothing. */
const LEVEL = 1;
const MIN_WINDOW_BITS = 10;
const MAX_WINDOW_BITS = 15;
/** zlib refers to nothing in the last bytes of its window. */
const LOOKAHEAD_BYTES = 262;
/** More than a body can grow by. */
const GROWTH_BYTES = 256;
/** A sync flush ends with an empty stored block. Its last four bytes are left off (RFC 7692, 7.2.1). */
const FLUSHED_BYTES = 4;
const STORED_HEAD_BYTES = 5;
/** RFC 6455 (5.2): the first byte of a final text frame; RSV1 says that it is compressed. */
const TEXT = 0x81;
const COMPRESSED_TEXT = 0xc1;

/** Refers to nothing. */
export function deflateAlone(body: Uint8Array): Buffer {
  return deflate(body, undefined);
}

/** Refers to `earlier` too, for a message whose head has `headBytes`. Neither body may contain NULs. */
export function deflateAfter(earlier: Uint8Array, headBytes: number, body: Uint8Array): Buffer {
  const dictionary = Buffer.alloc(earlier.length + headBytes);
  dictionary.set(earlier);
  return deflate(body, dictionary);
}

/** Encodes the frame of a compressed message. `head` has 65,535 bytes at most; an empty one needs no block. */
export function compressedFrame(head: Uint8Array, deflated: Uint8Array): Buffer {
  if (head.length === 0) return dataFrame(COMPRESSED_TEXT, [deflated]);
  const block = Buffer.allocUnsafe(STORED_HEAD_BYTES);
  block[0] = 0;
  block.writeUInt16LE(head.length, 1);
  block.writeUInt16LE(~head.length & 0xffff, 3);
  return dataFrame(COMPRESSED_TEXT, [block, head, deflated]);
}

/** Encodes the frame of an uncompressed message. */
export function textFrameOf(head: Uint8Array, body: Uint8Array): Buffer {
  return dataFrame(TEXT, [head, body]);
}

/** Encodes an unmasked WebSocket frame of less than 4 GiB, as one buffer. */
function dataFrame(first: number, parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  let at = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(at + length);
  frame[0] = first;
  if (at === 2) {
    frame[1] = length;
  } else if (at === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** A window and an output buffer that are as small as the body permits halve the time of the call. */
function deflate(body: Uint8Array, dictionary: Buffer | undefined): Buffer {
  const bytes = body.length + (dictionary?.length ?? 0) + LOOKAHEAD_BYTES;
  const deflated = deflateRawSync(body, {
    level: LEVEL,
    windowBits: Math.min(Math.max(Math.ceil(Math.log2(bytes)), MIN_WINDOW_BITS), MAX_WINDOW_BITS),
    chunkSize: body.length + GROWTH_BYTES,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary && { dictionary }),
  });
  return deflated.subarray(0, -FLUSHED_BYTES);
}
