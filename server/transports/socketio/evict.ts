/**
 * Ends a connection, on whichever gateway it is. Below Socket.IO, so that its client takes it for lost and comes back: where
 * an older connection's call reaches the data late, the one that is ended can be the one that the client has.
 */
import type { DefaultEventsMap, Server } from "socket.io";

/** Between gateways. */
export interface Evictions {
  evict: (socketId: string) => void;
}

type Io = Server<DefaultEventsMap, DefaultEventsMap, Evictions>;

/** `isShared`: there are other gateways. */
export function createEvict(io: Io, isShared: boolean): (socketId: string) => void {
  const evictHere = (socketId: string) => io.sockets.sockets.get(socketId)?.conn.close(true);
  io.on("evict", evictHere);
  return (socketId) => {
    if (io.sockets.sockets.has(socketId)) evictHere(socketId);
    else if (isShared) io.serverSideEmit("evict", socketId);
  };
}
