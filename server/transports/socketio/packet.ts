/**
 * Encodes events for the wire. Each is serialised once for all of its watchers; for WebSockets the whole frame is encoded
 * once too, as in Socket.IO's own rooms.
 */
import type { Entry } from "#server/streams/open.ts";
import { type Chunk, chunksOf, joined, type Message } from "#server/transports/sockets/chunks.ts";
import { createCompressedFrames } from "#server/transports/sockets/compressed-frames.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { memoizePerTick } from "#server/transports/sockets/memoize-per-tick.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";
import type { LegacyMessage } from "#shared/legacy.ts";

export interface Packet {
  /** The Socket.IO packet: a text, or bytes. */
  data: string | Buffer;
  /** `wsPreEncodedFrame`: a list of buffers that Engine.IO sends over a WebSocket in place of `data`. */
  options: { compress: boolean; wsPreEncodedFrame: [Buffer] };
}

export interface Encoder<T> {
  packetsOf(value: T): readonly Packet[];
  /** Returns only the update, for a client that has seen the value before: it must not receive a job's end twice. */
  updateOf(value: T): readonly Packet[];
  /** Returns a number that identifies the end in the value, or `undefined` if the value is not an end. */
  endOf(value: T): number | undefined;
  /**
   * Encodes all packets of each entry as frames. `compression`: what the client can inflate. `sent`: the last compressed
   * message of its subscription.
   */
  framesOf(
    entries: readonly Entry<T>[],
    compression?: Compression,
    sent?: Message,
  ): readonly Chunk[];
}

/** Encodes one message. Returns another packet for each call. */
export type PacketOf = (message: LegacyMessage) => Packet;

/** `toLegacy` returns the update as the last of its messages. */
export function createEncoder<T extends object>(
  packetOf: PacketOf,
  toLegacy: (value: T) => LegacyMessage[],
  endOf: (value: T) => number | undefined = () => undefined,
): Encoder<T> {
  const packetsOf = memoizePerTick((value: T): readonly Packet[] => toLegacy(value).map(packetOf));
  const frameOf = ({ value }: Entry<T>) =>
    joined(packetsOf(value).map(({ options }) => options.wsPreEncodedFrame[0]));
  const plainOf = memoizePerTick((entries: readonly Entry<T>[]) => chunksOf(entries.map(frameOf)));
  const compressedOf = createCompressedFrames(({ value }: Entry<T>) =>
    packetsOf(value).map(({ data }) => Buffer.from(MESSAGE + data)),
  );
  return {
    packetsOf,
    updateOf: (value) => packetsOf(value).slice(-1),
    endOf,
    framesOf: (entries, compression, sent) =>
      compression === undefined
        ? plainOf(entries)
        : compressedOf(entries, NO_HEAD, compression, sent),
  };
}

/** All clients receive the same text. */
const NO_HEAD = "";
/** The type of Socket.IO's EVENT packet, in the default namespace. */
const EVENT = "2";
/** The type of Engine.IO's `message` packet, which carries the EVENT packet. */
const MESSAGE = "4";

export function jsonPacketOf({ name, payload }: LegacyMessage): Packet {
  const data = `${EVENT}${JSON.stringify([name, payload])}`;
  return { data, options: { compress: true, wsPreEncodedFrame: [textFrame(MESSAGE + data)] } };
}
