/**
 * The way out to one connection, and how full it is. Engine.IO keeps what its client has not taken yet in a
 * list without an end; watches stop adding to it when it holds `ROOM` packets, or when the socket's own buffer is
 * full (S7). A client that goes on asking without ever reading answers loses its connection.
 */
import type { Socket } from "socket.io";
import type { Packet } from "./packet.ts";
import type { Wire } from "./wire.ts";

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
export function openOutlet(
  connection: Connection,
  openWire: (connection: Connection, onRoom: () => void) => Wire | undefined,
  onRoom: () => void,
): Outlet {
  /** Packets of any kind that wait in Engine.IO's list. */
  let unread = 0;
  let wire = openWire(connection, onRoom);

  const onPacket = () => {
    unread += 1;
    if (unread > MAX_UNREAD) connection.close(true);
  };
  const onDrain = () => {
    const wasFull = unread >= ROOM;
    unread = 0;
    if (wasFull) onRoom();
  };
  const onUpgrade = () => {
    wire = openWire(connection, onRoom);
  };
  connection.on("packetCreate", onPacket);
  connection.on("drain", onDrain);
  connection.on("upgrade", onUpgrade);

  return {
    send(packets) {
      for (const { text, options } of packets) {
        // Nothing overtakes what waits in the list.
        const direct = wire !== undefined && unread === 0;
        if (direct && wire?.write(options.wsPreEncodedFrame[0]) === true) continue;
        connection.write(text, options);
      }
    },
    hasRoom: () => unread < ROOM && wire?.hasRoom() !== false,
    close() {
      connection.off("packetCreate", onPacket);
      connection.off("drain", onDrain);
      connection.off("upgrade", onUpgrade);
      wire?.close();
    },
  };
}
