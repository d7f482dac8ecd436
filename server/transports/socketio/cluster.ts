/**
 * Socket.IO's own adapter for Redis: what is done to all clients of all gateways (`io.emit`, `disconnectSockets`, the
 * official emitter in another service). Updates of jobs do not go through it: each gateway takes them from its streams.
 */
import { randomBytes } from "node:crypto";
import { createAdapter } from "@socket.io/redis-adapter";
import type { Cluster as RedisCluster, Redis } from "ioredis";
import type { ServerOptions } from "socket.io";

/** As many as in Engine.IO's own ids, which are secrets: an id gives access to its session. */
const SECRET_BYTES = 15;

export interface Cluster {
  adapter: ServerOptions["adapter"];
  /** An id for a session, by which a proxy can see whose it is: `gateway-1.…`. */
  sessionId(): string;
  close(): void;
}

export interface ClusterOptions {
  /** Another connection to where the gateways meet. */
  connect: () => Redis | RedisCluster;
  prefix: string;
  /** Differs from that of any other gateway. */
  name: string;
}

export function openCluster({ connect, prefix, name }: ClusterOptions): Cluster {
  // Where it is away it is waited for; `/readyz` says so.
  const [publisher, subscriber] = [connect(), connect()];
  // The adapter looks at no outcome of what it publishes: a rejection would end the process.
  const publish = publisher.publish.bind(publisher);
  const quietly = async (...args: Parameters<typeof publish>) => publish(...args).catch(() => 0);
  publisher.publish = quietly;
  // Nor at the outcome of its subscriptions. One that still waits for Redis at `close` is rejected then.
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
