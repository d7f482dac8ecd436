/**
 * Socket.IO's own adapter for Redis: what is done to all clients of all gateways (`io.emit`, `disconnectSockets`, the
 * official emitter in another service). Updates of jobs do not go through it: each gateway takes them from its streams.
 */
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import type { ServerOptions } from "socket.io";

export interface Cluster {
  adapter: ServerOptions["adapter"];
  close(): void;
}

export function openCluster(redisUrl: string, prefix: string): Cluster {
  const publisher = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) {
    // Where it is away it is waited for; `/readyz` says so.
    client.on("error", () => undefined);
  }
  return {
    adapter: createAdapter(publisher, subscriber, { key: `${prefix}:socket.io` }),
    close() {
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
