/**
 * The socket below a connection that is a WebSocket. Writing a whole frame to it costs a third less than handing
 * a packet to Engine.IO, and what falls into one tick becomes one write.
 *
 * That is safe beside Engine.IO and `ws`: without compression, which is off, they too write each frame at once and
 * whole. Both keep the socket in a field that is not in their types; where it is not found, nothing breaks: packets
 * take the long way.
 */
import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Connection } from "./outlet.ts";

export interface Wire {
  /** `false`: nothing was written, the WebSocket is closing. */
  write(frame: Buffer): boolean;
  hasRoom(): boolean;
  close(): void;
}

/** Opens wires that share one list of what is to be flushed at the end of a tick. `undefined`: there is no such socket. */
export function createWires(): (connection: Connection, onRoom: () => void) => Wire | undefined {
  let corked: Duplex[] = [];

  function flush(): void {
    const sockets = corked;
    corked = [];
    for (const socket of sockets) socket.uncork();
  }

  return (connection, onRoom) => {
    const ws = (connection.transport as { socket?: WebSocket & { _socket?: unknown } }).socket;
    const socket = ws?._socket;
    if (ws === undefined || !(socket instanceof Duplex)) return undefined;
    socket.on("drain", onRoom);
    return {
      write(frame) {
        if (ws.readyState !== ws.OPEN) return false;
        if (socket.writableCorked === 0) {
          socket.cork();
          corked.push(socket);
          if (corked.length === 1) process.nextTick(flush);
        }
        socket.write(frame);
        return true;
      },
      hasRoom: () => !socket.writableNeedDrain,
      close: () => socket.off("drain", onRoom),
    };
  };
}
