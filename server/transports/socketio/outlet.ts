/**
 * The way out to one connection, and how full it is. Engine.IO keeps what its client has not taken yet in a
 * list without an end; watches stop adding to it when it holds `ROOM` packets (S7), and a client that goes on
 * asking without ever reading answers loses its connection.
 */
import type { Socket } from "socket.io";
import type { Packet } from "./packet.ts";

/** What is below a Socket.IO socket: one Engine.IO connection. */
export type Connection = Socket["conn"];

export interface Outlet {
  /** Takes the packets in any case. */
  send(packets: readonly Packet[]): void;
  hasRoom(): boolean;
  close(): void;
}

const ROOM = 64;
/** More than a client gets that subscribes to as much as it may at once, with acknowledgements. */
const MAX_UNREAD = 5000;

/** `onRoom` is called when there is room again after there was none. */
export function openOutlet(connection: Connection, onRoom: () => void): Outlet {
  /** Packets of any kind that were not handed to the client's socket, or to its poll. */
  let unread = 0;

  const onPacket = () => {
    unread += 1;
    if (unread > MAX_UNREAD) connection.close(true);
  };
  const onDrain = () => {
    const wasFull = unread >= ROOM;
    unread = 0;
    if (wasFull) onRoom();
  };
  connection.on("packetCreate", onPacket);
  connection.on("drain", onDrain);

  return {
    send(packets) {
      for (const { text, options } of packets) connection.write(text, options);
    },
    hasRoom: () => unread < ROOM,
    close() {
      connection.off("packetCreate", onPacket);
      connection.off("drain", onDrain);
    },
  };
}
