/**
 * The Redis on which the gateways of a server count together. While it does not answer, each process counts for itself: no
 * call waits for it, or fails because of it.
 */
import type { Cluster, Redis } from "ioredis";
import type { Connector } from "#server/engine/contract.ts";

const ANSWER_MS = 500;
/** After a failure, Redis is not asked for that long. */
const PAUSE_MS = 1000;

export interface SharedRedis {
  readonly client: Redis | Cluster;
  /** Keys of limits begin with it. */
  readonly prefix: string;
  /** Resolves to `undefined` if Redis cannot be asked, or gives no answer in time. Never rejects. */
  ask<T>(what: () => Promise<T>): Promise<T | undefined>;
}

export function createSharedRedis({ connect, prefix }: Connector): SharedRedis {
  const client = connect();
  let pausedUntil = 0;
  // What a process counts before its first connection would be missing in the counts of all.
  let connecting: Promise<void> | undefined = new Promise<void>((resolve) => {
    client.once("ready", resolve);
    setTimeout(resolve, ANSWER_MS).unref();
  }).then(() => void (connecting = undefined));

  async function ask<T>(what: () => Promise<T>): Promise<T | undefined> {
    if (connecting !== undefined) await connecting;
    // The client would keep the command until Redis is back.
    if (client.status !== "ready" || performance.now() < pausedUntil) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("Redis did not answer.")), ANSWER_MS);
    });
    try {
      return await Promise.race([what(), late]);
    } catch {
      pausedUntil = performance.now() + PAUSE_MS;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  return { client, prefix: `${prefix}:limits`, ask };
}
