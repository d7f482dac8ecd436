/** For tests: reads the frames of a server by hand, and inflates them as RFC 7692 says, without any client library. */
import { constants, inflateRawSync } from "node:zlib";

export interface Frame {
  /** RSV1: the message is compressed. */
  compressed: boolean;
  opcode: number;
  payload: Buffer;
}

/** Returns the frames in the bytes, and the bytes of a frame that is not complete yet. */
export function framesIn(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const [first = 0, second = 0] = bytes.subarray(at);
    const start = at + (second === 126 ? 4 : second === 127 ? 10 : 2);
    if (bytes.length < start) break;
    const length =
      second === 126
        ? bytes.readUInt16BE(at + 2)
        : second === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : second;
    if (bytes.length < start + length) break;
    const payload = bytes.subarray(start, start + length);
    frames.push({ compressed: (first & 0x40) !== 0, opcode: first & 0x0f, payload });
    at = start + length;
  }
  return { frames, rest: bytes.subarray(at) };
}

const FLUSHED = Buffer.from([0, 0, 0xff, 0xff]);

/** `takeover`: false where the client forgets each message. Throws if a message refers to what the client does not have. */
export function createInflater({ windowBits = 15, takeover = true } = {}) {
  let window = Buffer.alloc(0);
  return ({ compressed, payload }: Frame): string => {
    if (!compressed) return payload.toString();
    // zlib reads no window of 8 bits, and one of 9 does not notice what is too far away for one of 8.
    const inflated = inflateRawSync(Buffer.concat([payload, FLUSHED]), {
      windowBits: Math.max(9, windowBits),
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(window.length > 0 && { dictionary: window }),
    });
    if (takeover) window = Buffer.concat([window, inflated]).subarray(-(2 ** windowBits));
    return inflated.toString();
  };
}
