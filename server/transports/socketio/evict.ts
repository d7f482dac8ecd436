/**
 * Ends a connection on any gateway. It closes below Socket.IO, so that the client treats the connection as lost and
 * reconnects: if the call of an older connection reaches the engine late, the evicted connection may be the client's current
 * one.
 */
import type { DefaultEventsMap, Server, Socket } from "socket.io";

/** Events between gateways. */
export interface Evictions {
  evict: (socketId: string) => void;
}

type Io = Server<DefaultEventsMap, DefaultEventsMap, Evictions>;

export interface EvictOptions {
  /** Sockets that have not joined yet, by id. */
  joining: ReadonlyMap<string, Socket>;
  /** True if other gateways exist. */
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
