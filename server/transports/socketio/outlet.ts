/**
 * The way out to one connection, and how full it is. Engine.IO keeps what its client has not taken yet in a
 * list without an end; watches stop adding to it when it holds `ROOM_PACKETS`, or as many bytes as may wait for one
 * client, or when the socket has no room (S7). A client that goes on asking without ever reading answers, and one
 * that takes nothing for too long, loses its connection.
 */
import type { Socket } from "socket.io";
import { WebSocket } from "ws";
import type { Wire, WireHooks, Wires } from "#server/transports/wires.ts";
import type { Packet } from "./packet.ts";
import { websocketBelow } from "./websocket-below.ts";

/** What is below a Socket.IO socket: one Engine.IO connection. */
export type Connection = Socket["conn"];

export interface OutletOptions {
  wires: Wires;
  /** Bytes that may wait in Engine.IO's list. */
  highWaterBytes: number;
  /** There is room again after there was none. */
  onRoom(): void;
}

/** Few, so that one who polls rarely is told what is true now rather than what was true then. */
const ROOM_PACKETS = 64;
/** More than a client gets that subscribes to as much as it may at once, with acknowledgements. */
const MAX_UNREAD_PACKETS = 5000;

export class Outlet implements WireHooks {
  readonly #connection: Connection;
  readonly #options: OutletOptions;
  /** Of any kind, in Engine.IO's list. */
  #packets = 0;
  #bytes = 0;
  #ws: WebSocket | undefined;
  #wire: Wire | undefined;

  readonly #findBelow = () => {
    this.#wire?.release();
    const found = websocketBelow(this.#connection);
    this.#ws = found?.ws;
    this.#wire = found && this.#options.wires.open(found.socket, this);
  };
  readonly #onPacket = ({ data }: { data?: string | Buffer }) => {
    this.#wire?.flush();
    this.#packets += 1;
    this.#bytes += data?.length ?? 0;
    if (this.#packets > MAX_UNREAD_PACKETS) this.#connection.close(true);
  };
  readonly #onDrain = () => {
    const wasFull = !this.#listHasRoom();
    this.#packets = this.#bytes = 0;
    if (wasFull) this.#options.onRoom();
  };

  constructor(connection: Connection, options: OutletOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#findBelow();
    connection.on("packetCreate", this.#onPacket);
    connection.on("drain", this.#onDrain);
    connection.on("upgrade", this.#findBelow);
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
    this.#wire?.write(frames);
    return true;
  }

  hasRoom(): boolean {
    return this.#listHasRoom() && this.#wire?.hasRoom() !== false;
  }

  close(): void {
    this.#connection.off("packetCreate", this.#onPacket);
    this.#connection.off("drain", this.#onDrain);
    this.#connection.off("upgrade", this.#findBelow);
    this.#wire?.release();
  }

  room(): void {
    this.#options.onRoom();
  }

  stalled(): void {
    this.#connection.close(true);
  }

  #listHasRoom(): boolean {
    return this.#packets < ROOM_PACKETS && this.#bytes < this.#options.highWaterBytes;
  }
}
