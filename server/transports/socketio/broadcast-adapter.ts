/**
 * Socket.IO's Redis adapter. It carries operations on the clients of all gateways (`io.emit`, `disconnectSockets`, the official
 * emitter in another service). Updates of jobs do not use it: each gateway reads them from its streams.
 */
import { randomBytes } from "node:crypto";
import { createAdapter } from "@socket.io/redis-adapter";
import type { Cluster as RedisCluster, Redis } from "ioredis";
import type { ServerOptions } from "socket.io";

/** As many as in Engine.IO's own ids. Ids are secrets: an id gives access to its Engine.IO session. */
const SECRET_BYTES = 15;

export interface BroadcastAdapter {
  adapter: ServerOptions["adapter"];
  /** Returns an Engine.IO session id that tells a proxy the session's gateway: `gateway-1.…`. */
  sessionId(): string;
  close(): void;
}

export interface BroadcastOptions {
  /** Opens a connection to the Redis that all gateways share. */
  connect: () => Redis | RedisCluster;
  prefix: string;
  /** The unique name of this gateway. */
  name: string;
}

export function openBroadcastAdapter({
  connect,
  prefix,
  name,
}: BroadcastOptions): BroadcastAdapter {
  // These clients wait for Redis as long as it takes; `/readyz` reports its absence.
  const [publisher, subscriber] = [connect(), connect()];
  // The adapter ignores the promise of `publish`, so a rejection would be unhandled and end the process.
  const publish = publisher.publish.bind(publisher);
  const quietly = async (...args: Parameters<typeof publish>) => publish(...args).catch(() => 0);
  publisher.publish = quietly;
  // It also ignores the promises of its subscriptions. Those that still wait for Redis at `close` reject then.
  let closed = false;
  const send = subscriber.sendCommand.bind(subscriber);
  subscriber.sendCommand = (...[command, ...rest]: Parameters<typeof send>) => {
    if (command.name.endsWith("subscribe")) {
      command.promise.catch((error: unknown) => {
        if (!closed) throw error;
      });
    }
    return send(command, ...rest);
  };
  return {
    adapter: createAdapter(publisher, subscriber, { key: `${prefix}:socket.io` }),
    sessionId: () => `${name}.${randomBytes(SECRET_BYTES).toString("base64url")}`,
    close() {
      closed = true;
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
