/**
 * The wire format of `socket.io-msgpack-parser`: each packet is one MessagePack map, `{ type, nsp, data, id }`. That package reads
 * whatever length a packet declares, and lets clients emit the names of Socket.IO's own events.
 */
import { EventEmitter } from "node:events";
import { NotJson, readMsgpack } from "#server/transports/requests/read-msgpack.ts";
import { binaryFrame } from "#server/transports/sockets/binary-frame.ts";
import { writeMsgpack } from "#server/transports/sockets/write-msgpack.ts";
import type { LegacyMessage } from "#shared/legacy.ts";
import type { Packet } from "./packet.ts";
import { MAX_CONNECTS } from "./packet-limits.ts";

/** The types of packets. https://github.com/socketio/socket.io-protocol */
const CONNECT = 0;
const DISCONNECT = 1;
const EVENT = 2;
const ACK = 3;
/** Names of events that `Socket.IO` emits itself. */
const RESERVED: ReadonlySet<unknown> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

interface SocketioPacket {
  type: number;
  nsp: string;
  data: unknown;
  id: number | undefined;
}

/** Encodes an event in the default namespace. */
export function msgpackPacketOf({ name, payload }: LegacyMessage): Packet {
  const data = Buffer.from(writeMsgpack({ type: EVENT, data: [name, payload], nsp: "/" }));
  return { data, options: { compress: true, wsPreEncodedFrame: [binaryFrame(data)] } };
}

class MsgpackEncoder {
  encode(packet: object): Buffer[] {
    return [Buffer.from(writeMsgpack(packet))];
  }
}

/** Reads the packets of one connection. `add` throws for one that is none, upon which Socket.IO closes the connection. */
export class MsgpackDecoder extends EventEmitter<{ decoded: [SocketioPacket] }> {
  #connects = 0;

  add(bytes: unknown): void {
    if (!Buffer.isBuffer(bytes)) throw new Error("A packet in MessagePack is binary.");
    const packet = packetIn(readMsgpack(bytes, true).value);
    if (packet.type === CONNECT) this.#connects += 1;
    if (this.#connects > MAX_CONNECTS) throw new Error("The connection joined too often.");
    this.emit("decoded", packet);
  }

  destroy(): void {
    this.removeAllListeners();
  }
}

/** For the option `parser` of Socket.IO's server. */
export const MSGPACK_PARSER = { Encoder: MsgpackEncoder, Decoder: MsgpackDecoder };

function packetIn(value: unknown): SocketioPacket {
  if (!isMap(value)) throw new Error("A packet is a map.");
  const { type, nsp, id } = value;
  // python-socketio writes nil for a packet without data.
  const data = value.data ?? undefined;
  if (typeof nsp !== "string") throw new Error("A packet has a namespace.");
  if (id !== undefined && !(Number.isSafeInteger(id) && (id as number) >= 0))
    throw new Error("The id of a packet is a number.");
  if (!isData(type, data)) throw new Error("A packet has a type, and its data.");
  return { type: type as number, nsp, data, id: id as number | undefined };
}

/** A server is sent no CONNECT_ERROR. */
function isData(type: unknown, data: unknown): boolean {
  switch (type) {
    case CONNECT:
      return data === undefined || isMap(data);
    case DISCONNECT:
      return data === undefined;
    case EVENT:
      return Array.isArray(data) && typeof data[0] === "string" && !RESERVED.has(data[0]);
    case ACK:
      return Array.isArray(data);
    default:
      return false;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null;
  return isObject && !Array.isArray(value) && !(value instanceof NotJson);
}
