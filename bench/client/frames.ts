/**
 * Counts WebSocket frames (RFC 6455, 5.2) as their bytes arrive, without decoding them, so that the client costs less
 * than the server it measures. Frames may be split anywhere.
 */
export interface FrameCounter {
  /** Takes the bytes that were read. Calls `onFrame` after the last byte of each frame, with the payload if it is kept. */
  take(bytes: Uint8Array, onFrame: (payload: Buffer | undefined) => void): void;
}

const HEADER_SHORT = 2;

export function createFrameCounter(options: { keep: boolean }): FrameCounter {
  /** Header bytes read so far, and the header's length. */
  let headerRead = 0;
  let headerSize = HEADER_SHORT;
  /** Remaining bytes of the payload. */
  let left = 0;
  let kept: Uint8Array[] = [];

  function readHeader(byte: number): void {
    headerRead += 1;
    if (headerRead === 1) return;
    if (headerRead > HEADER_SHORT) {
      left = left * 256 + byte;
      return;
    }
    const length = byte & 0x7f;
    headerSize = length === 126 ? 4 : length === 127 ? 10 : HEADER_SHORT;
    left = headerSize === HEADER_SHORT ? length : 0;
  }

  return {
    take(bytes, onFrame) {
      let at = 0;
      while (at < bytes.length || (headerRead === headerSize && left === 0)) {
        if (headerRead < headerSize) {
          readHeader(bytes[at] as number);
          at += 1;
          continue;
        }
        const part = Math.min(left, bytes.length - at);
        // Copied, because the read buffer is reused.
        if (options.keep && part > 0) kept.push(new Uint8Array(bytes.subarray(at, at + part)));
        at += part;
        left -= part;
        if (left > 0) return;
        headerRead = 0;
        headerSize = HEADER_SHORT;
        const payload = options.keep ? Buffer.concat(kept) : undefined;
        kept = [];
        onFrame(payload);
      }
    },
  };
}

/** A client's text frame, masked as the protocol requires, with a zero mask that changes nothing. */
export function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const short = payload.length < 126;
  if (payload.length > 0xffff) throw new Error("Requests of the bench are short.");
  const header = Buffer.alloc(short ? 6 : 8);
  header[0] = 0x81;
  header[1] = 0x80 | (short ? payload.length : 126);
  if (!short) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
