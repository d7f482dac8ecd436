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

export type Io = Server<DefaultEventsMap, DefaultEventsMap, Evictions>;

export interface EvictOptions {
  /** Sockets that have not joined yet, by id. */
  joining: ReadonlyMap<string, Socket>;
  /** True if other gateways exist. */
  isShared: boolean;
}

/** `add` takes each server of this process: a client may come back to another one than it left. */
export function createEvict({ joining, isShared }: EvictOptions) {
  const servers: Io[] = [];
  const find = (socketId: string) => {
    for (const { sockets } of servers) {
      const socket = sockets.sockets.get(socketId);
      if (socket !== undefined) return socket;
    }
    return joining.get(socketId);
  };
  const evictHere = (socketId: string) => find(socketId)?.conn.close(true);
  return {
    add(io: Io): void {
      servers.push(io);
      io.on("evict", evictHere);
    },
    evict(socketId: string): void {
      if (find(socketId) !== undefined) evictHere(socketId);
      else if (isShared) servers[0]?.serverSideEmit("evict", socketId);
    },
  };
}
