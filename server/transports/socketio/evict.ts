/**
 * Ends a connection, on whichever gateway it is. Below Socket.IO, so that its client takes it for lost and comes back: where
 * an older connection's call reaches the data late, the one that is ended can be the one that the client has.
 */
import type { DefaultEventsMap, Server, Socket } from "socket.io";

/** Between gateways. */
export interface Evictions {
  evict: (socketId: string) => void;
}

type Io = Server<DefaultEventsMap, DefaultEventsMap, Evictions>;

export interface EvictOptions {
  /** Sockets that have not joined yet, by id. */
  joining: ReadonlyMap<string, Socket>;
  /** There are other gateways. */
  isShared: boolean;
}

export function createEvict(io: Io, { joining, isShared }: EvictOptions) {
  const find = (socketId: string) => io.sockets.sockets.get(socketId) ?? joining.get(socketId);
  const evictHere = (socketId: string) => find(socketId)?.conn.close(true);
  io.on("evict", evictHere);
  return (socketId: string): void => {
    if (find(socketId) !== undefined) evictHere(socketId);
    else if (isShared) io.serverSideEmit("evict", socketId);
  };
}
