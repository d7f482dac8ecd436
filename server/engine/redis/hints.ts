/**
 * Hints over sharded pub/sub: one subscription for each stream that somebody watches here, gone with the last of them.
 * The scripts publish with what they store. What was published while the connection was away is lost, so everybody is
 * told to look when it is back.
 */
import type { Redis } from "ioredis";
import type { Hint, StreamRef } from "#server/engine/contract.ts";
import { createHints } from "#server/engine/common/hints.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { decodeEvent } from "./records.ts";
import type { Tenants } from "./tenants.ts";

export interface RedisHints {
  on(stream: StreamRef, listener: (hint: Hint) => void): Promise<() => void>;
}

interface Subscription {
  stream: StreamRef;
  listeners: number;
  ready: Promise<unknown>;
}

export function createRedisHints(redis: Redis, keys: Keys, tenants: Tenants): RedisHints {
  const here = createHints();
  const subscriptions = new Map<string, Subscription>();

  redis.on("smessage", (channel: string, text: string) => {
    const stream = subscriptions.get(channel)?.stream;
    if (stream === undefined) return;
    const event = stream.stream === "job" ? decodeEvent(stream.jobId, text) : undefined;
    here.emit(stream, event === undefined ? {} : { event });
  });
  let connected = false;
  redis.on("ready", () => {
    if (connected) lookAgain().catch(() => undefined);
    connected = true;
  });

  /** ioredis has asked for the subscriptions of before by now; the answer to what is asked later comes after theirs. */
  async function lookAgain(): Promise<void> {
    await redis.ping();
    for (const { stream } of subscriptions.values()) here.emit(stream, {});
  }

  async function channelOf(stream: StreamRef): Promise<string | undefined> {
    if (stream.stream === "feed") {
      return `${keys.tenant(stream.owner.tenant)}:hint:feed:${ownerKey(stream.owner)}`;
    }
    const id = stream.stream === "batch" ? stream.batchId : stream.jobId;
    const tenant = await tenants.of(id);
    return tenant && `${keys.tenant(tenant)}:hint:${stream.stream}:${id}`;
  }

  function leave(channel: string, subscription: Subscription): void {
    subscription.listeners -= 1;
    if (subscription.listeners > 0) return;
    subscriptions.delete(channel);
    // Where that fails the connection is gone, and the subscription with it.
    redis.sunsubscribe(channel).catch(() => undefined);
  }

  return {
    async on(stream, listener) {
      const channel = await channelOf(stream);
      // Of what does not exist nothing is told.
      if (channel === undefined) return () => undefined;
      const subscription = subscriptions.get(channel) ?? {
        stream,
        listeners: 0,
        ready: redis.ssubscribe(channel),
      };
      subscriptions.set(channel, subscription);
      subscription.listeners += 1;
      try {
        await subscription.ready;
      } catch (error) {
        leave(channel, subscription);
        throw error;
      }
      const end = here.on(stream, listener);
      let listening = true;
      return () => {
        if (!listening) return;
        listening = false;
        end();
        leave(channel, subscription);
      };
    },
  };
}
