/**
 * The way out to one connection, and how full it is. Engine.IO keeps what its client has not taken yet in a
 * list without an end; watches stop adding to it when it holds `ROOM_PACKETS`, or as many bytes as may wait for one
 * client, or when the socket has no room (S7). A client that goes on asking without ever reading answers, and one
 * that takes nothing for too long, loses its connection.
 */
import type { Socket } from "socket.io";
import { WebSocket } from "ws";
import type { Wire, Wires } from "#server/transports/wires.ts";
import type { Packet } from "./packet.ts";
import { websocketBelow } from "./websocket-below.ts";

/** What is below a Socket.IO socket: one Engine.IO connection. */
export type Connection = Socket["conn"];

export interface Outlet {
  /** Takes the packets in any case. */
  send(packets: readonly Packet[]): void;
  /** Takes whole frames. `false`: not here, and not now; they are to be sent as packets. */
  write(frames: Uint8Array): boolean;
  hasRoom(): boolean;
  close(): void;
}

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

export function openOutlet(connection: Connection, options: OutletOptions): Outlet {
  const { wires, highWaterBytes, onRoom } = options;
  /** Of any kind, in Engine.IO's list. */
  let packets = 0;
  let bytes = 0;
  let below = openBelow();

  function openBelow(): { ws: WebSocket; wire: Wire } | undefined {
    const found = websocketBelow(connection);
    const stalled = () => connection.close(true);
    return found && { ws: found.ws, wire: wires.open(found.socket, { room: onRoom, stalled }) };
  }

  const listHasRoom = () => packets < ROOM_PACKETS && bytes < highWaterBytes;

  const onPacket = ({ data }: { data?: string | Buffer }) => {
    below?.wire.flush();
    packets += 1;
    bytes += data?.length ?? 0;
    if (packets > MAX_UNREAD_PACKETS) connection.close(true);
  };
  const onDrain = () => {
    const wasFull = !listHasRoom();
    packets = bytes = 0;
    if (wasFull) onRoom();
  };
  const onUpgrade = () => {
    below?.wire.release();
    below = openBelow();
  };
  connection.on("packetCreate", onPacket);
  connection.on("drain", onDrain);
  connection.on("upgrade", onUpgrade);

  function write(frames: Uint8Array): boolean {
    // Nothing overtakes what waits in the list.
    if (below?.ws.readyState !== WebSocket.OPEN || packets > 0) return false;
    below.wire.write(frames);
    return true;
  }

  return {
    write,
    send(sent) {
      for (const { text, options: how } of sent) {
        if (!write(how.wsPreEncodedFrame[0])) connection.write(text, how);
      }
    },
    hasRoom: () => listHasRoom() && below?.wire.hasRoom() !== false,
    close() {
      connection.off("packetCreate", onPacket);
      connection.off("drain", onDrain);
      connection.off("upgrade", onUpgrade);
      below?.wire.release();
    },
  };
}
