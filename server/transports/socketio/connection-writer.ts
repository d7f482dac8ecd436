/**
 * The way out to one connection, and how full it is. Engine.IO keeps packets that its client has not taken yet in a
 * list without an end; watches stop adding to it when it holds `ROOM_PACKETS`, or as many bytes as may wait for one
 * client, or when the socket has no room (S7). A client that goes on asking without ever reading answers, and one
 * that takes nothing for too long, loses its connection.
 */
import type { Socket } from "socket.io";
import { WebSocket } from "ws";
import type { WriterHooks } from "#server/transports/socket-writer.ts";
import { type Inflow, inflowOf } from "./inflow.ts";
import type { Packet } from "./packet.ts";
import { underlyingWebSocket } from "./underlying-websocket.ts";

/** The Engine.IO connection below a Socket.IO socket. */
export type Connection = Socket["conn"];

/** SmallMap, so that a client that polls rarely is told the current state rather than an old one. */
const ROOM_PACKETS = 64;
/** More than a client gets that subscribes to as much as it may at once, with acknowledgements. */
const MAX_UNREAD_PACKETS = 5000;

const WRITER = Symbol("writer");
type WithWriter = Connection & { [WRITER]?: ConnectionWriter };

/** From the first packet on, also before the client joins. `highWaterBytes`: bytes that may wait in Engine.IO's list. */
export function openConnectionWriter(
  connection: Connection,
  highWaterBytes: number,
): ConnectionWriter {
  const writer = new ConnectionWriter(connection, highWaterBytes);
  (connection as WithWriter)[WRITER] = writer;
  return writer;
}

/** The one of `openConnectionWriter`. */
export function connectionWriterOf(connection: Connection): ConnectionWriter {
  const writer = (connection as WithWriter)[WRITER];
  if (writer === undefined) throw new Error("The connection has no writer.");
  return writer;
}

export class ConnectionWriter implements WriterHooks {
  readonly #connection: Connection;
  readonly #highWaterBytes: number;
  /** Of any kind, in Engine.IO's list. */
  #packets = 0;
  #bytes = 0;
  #ws: WebSocket | undefined;
  #inflow: Inflow | undefined;
  /** Called when there is room again after there was none. */
  #waiting: readonly (() => void)[] = [];

  constructor(connection: Connection, highWaterBytes: number) {
    this.#connection = connection;
    this.#highWaterBytes = highWaterBytes;
    this.#findBelow();
    connection.on("packetCreate", this.#onPacket);
    connection.on("drain", this.#onDrain);
    connection.on("upgrade", this.#findBelow);
  }

  /** Calls `listener` whenever there is room again, until the function that it returns is called. */
  onRoom(listener: () => void): () => void {
    this.#waiting = [...this.#waiting, listener];
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== listener);
    };
  }

  /** Takes the packets in any case. */
  send(packets: readonly Packet[]): void {
    for (const { text, options: how } of packets) {
      if (!this.write(how.wsPreEncodedFrame[0])) this.#connection.write(text, how);
    }
  }

  /** Takes whole frames. `false`: not here, and not now; they are to be sent as packets. */
  write(frames: Uint8Array): boolean {
    // Nothing overtakes what waits in the list.
    if (this.#ws?.readyState !== WebSocket.OPEN || this.#packets > 0) return false;
    if (this.#inflow === undefined) return false;
    this.#inflow.writer.write(frames);
    return true;
  }

  hasRoom(): boolean {
    return this.#listHasRoom() && this.#inflow?.writer.hasRoom() !== false;
  }

  room(): void {
    for (const tell of this.#waiting) tell();
  }

  stalled(): void {
    this.#connection.close(true);
  }

  #listHasRoom(): boolean {
    return this.#packets < ROOM_PACKETS && this.#bytes < this.#highWaterBytes;
  }

  readonly #findBelow = () => {
    this.#ws = underlyingWebSocket(this.#connection);
    this.#inflow = this.#ws && inflowOf(this.#ws);
    if (this.#inflow !== undefined) this.#inflow.owner = this;
  };
  readonly #onPacket = ({ data }: { data?: string | Buffer }) => {
    this.#inflow?.writer.flush();
    this.#inflow?.readWhileRoom();
    this.#packets += 1;
    this.#bytes += data?.length ?? 0;
    if (this.#packets > MAX_UNREAD_PACKETS) this.#connection.close(true);
  };
  readonly #onDrain = () => {
    const wasFull = !this.#listHasRoom();
    this.#packets = this.#bytes = 0;
    if (wasFull) this.room();
  };
}
