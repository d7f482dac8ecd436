/**
 * Events as they go over the wire. Each is serialised once, whatever the number of its watchers; for WebSockets
 * the whole frame is made once as well, as Socket.IO's own rooms do it.
 */
import type { LegacyMessage } from "#shared/legacy.ts";

export interface Packet {
  /** The Socket.IO packet. */
  text: string;
  /** `wsPreEncodedFrame` is what Engine.IO sends in place of `text` where it can: a list of buffers. */
  options: { compress: boolean; wsPreEncodedFrame: [Buffer] };
}

/** Remembers the packets of each value for as long as somebody has the value. */
export function createEncoder<T extends object>(
  toLegacy: (value: T) => LegacyMessage[],
): (value: T) => readonly Packet[] {
  const known = new WeakMap<T, readonly Packet[]>();
  return (value) => {
    let packets = known.get(value);
    if (packets === undefined) {
      packets = toLegacy(value).map(packetOf);
      known.set(value, packets);
    }
    return packets;
  };
}

/** Socket.IO's EVENT packet, in the one namespace that there is. */
const EVENT = "2";
/** Engine.IO's `message`, which carries it. */
const MESSAGE = "4";

function packetOf({ name, payload }: LegacyMessage): Packet {
  const text = `${EVENT}${JSON.stringify([name, payload])}`;
  return { text, options: { compress: true, wsPreEncodedFrame: [textFrame(MESSAGE + text)] } };
}

/** A WebSocket frame (RFC 6455, 5.2): final, text, not masked. One buffer is one write where a list is several. */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x81;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, start);
  return frame;
}
