/**
 * Events as they go over the wire. Each is serialised once, whatever the number of its watchers; for WebSockets
 * the whole frame is made once as well, as Socket.IO's own rooms do it.
 */
import type { Entry } from "#server/streams/open.ts";
import { type Chunk, chunksOf, joined } from "#server/transports/chunks.ts";
import { memoizePerTick } from "#server/transports/memoize-per-tick.ts";
import { textFrame } from "#server/transports/text-frame.ts";
import type { LegacyMessage } from "#shared/legacy.ts";

export interface Packet {
  /** The Socket.IO packet. */
  text: string;
  /** `wsPreEncodedFrame` is what Engine.IO sends in place of `text` where it can: a list of buffers. */
  options: { compress: boolean; wsPreEncodedFrame: [Buffer] };
}

export interface Encoder<T> {
  packetsOf(value: T): readonly Packet[];
  /** For a client that was shown the value before: how a job ended is not told twice. */
  updateOf(value: T): readonly Packet[];
  /** A number that names the end that the value tells of; `undefined` if it tells of none. */
  endOf(value: T): number | undefined;
  /** All packets of each entry, as frames. */
  framesOf(entries: readonly Entry<T>[]): readonly Chunk[];
}

/** `toLegacy`: of several messages the last one is the update. */
export function createEncoder<T extends object>(
  toLegacy: (value: T) => LegacyMessage[],
  endOf: (value: T) => number | undefined = () => undefined,
): Encoder<T> {
  const packetsOf = memoizePerTick((value: T): readonly Packet[] => toLegacy(value).map(packetOf));
  const frameOf = ({ value }: Entry<T>) =>
    joined(packetsOf(value).map(({ options }) => options.wsPreEncodedFrame[0]));
  const framesOf = memoizePerTick((entries: readonly Entry<T>[]) => chunksOf(entries.map(frameOf)));
  return { packetsOf, updateOf: (value) => packetsOf(value).slice(-1), endOf, framesOf };
}

/** Socket.IO's EVENT packet, in the one namespace that there is. */
const EVENT = "2";
/** Engine.IO's `message`, which carries it. */
const MESSAGE = "4";

function packetOf({ name, payload }: LegacyMessage): Packet {
  const text = `${EVENT}${JSON.stringify([name, payload])}`;
  return { text, options: { compress: true, wsPreEncodedFrame: [textFrame(MESSAGE + text)] } };
}
