/**
 * Events as they go over the wire. Each is serialised once, whatever the number of its watchers; for WebSockets
 * the whole frame is made once as well, as Socket.IO's own rooms do it.
 */
import type { LegacyMessage } from "#shared/legacy.ts";
import { textFrame } from "#server/transports/text-frame.ts";

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
