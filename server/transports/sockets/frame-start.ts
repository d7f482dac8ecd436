/** The start of a WebSocket frame (RFC 6455, 5.2): final, unmasked, not compressed. */

export const TEXT = 0x1;
export const BINARY = 0x2;

/** Returns a buffer for a whole frame, whose last `length` bytes are not written yet. */
export function startFrame(opcode: typeof TEXT | typeof BINARY, length: number): Buffer {
  const start = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x80 | opcode;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}
