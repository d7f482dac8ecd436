/**
 * Hints over sharded pub/sub: one subscription for each stream that somebody watches here, gone with the last of them.
 * The scripts publish with what they store. What was published while the connection was away is lost, so everybody is
 * told to look when it is back.
 */
import type { Client } from "./client.ts";
import type { Hint, StreamRef } from "#server/engine/contract.ts";
import { notify } from "#server/engine/common/notify.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { decodeEvent } from "./records.ts";
import type { Tenants } from "./tenants.ts";

export interface RedisHints {
  on(stream: StreamRef, listener: (hint: Hint) => void): Promise<() => void>;
}

interface Subscription {
  listeners: Set<(text: string) => void>;
  ready: Promise<unknown>;
}

export function createRedisHints(redis: Client, keys: Keys, tenants: Tenants): RedisHints {
  const subscriptions = new Map<string, Subscription>();
  const { subscribe, unsubscribe, follow } = createSubscriber(redis);

  redis.on("smessage", (channel: string, text: string) => {
    const subscription = subscriptions.get(channel);
    if (subscription) notify(subscription.listeners, text);
  });
  let connected = false;
  // One Redis says that it is there again, a cluster that its nodes are, or others in their place.
  for (const back of ["ready", "subscribersReady"]) {
    redis.on(back, () => {
      if (connected) lookAgain().catch(() => undefined);
      connected = true;
    });
  }

  /** What was published meanwhile is lost. */
  async function lookAgain(): Promise<void> {
    await follow(subscriptions.keys());
    for (const { listeners } of subscriptions.values()) notify(listeners, "");
  }

  async function join(channel: string, listener: (text: string) => void): Promise<() => void> {
    const known = subscriptions.get(channel);
    const subscription = known ?? { listeners: new Set(), ready: subscribe(channel) };
    subscriptions.set(channel, subscription);
    // A function of its own, so that a listener given twice is called, and ended, twice.
    const entry = (text: string): void => listener(text);
    subscription.listeners.add(entry);
    function leave(): void {
      if (!subscription.listeners.delete(entry) || subscription.listeners.size > 0) return;
      if (subscriptions.get(channel) === subscription) subscriptions.delete(channel);
      unsubscribe(channel);
    }
    try {
      await subscription.ready;
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  return {
    async on(stream, listener) {
      if (stream.stream === "feed") {
        const { tenant } = stream.owner;
        const channel = `${keys.tenant(tenant)}:hint:feed:${ownerKey(stream.owner)}`;
        return join(channel, () => listener({}));
      }
      const id = stream.stream === "batch" ? stream.batchId : stream.jobId;
      const tenant = await tenants.of(id);
      // Of what does not exist nothing is told.
      if (tenant === undefined) return () => undefined;
      const channelOf = (name: string) => `${keys.tenant(tenant)}:hint:${name}:${id}`;
      if (stream.stream === "batch") return join(channelOf("batch"), () => listener({}));
      const onEvent = (text: string) =>
        text === "" ? {} : { event: decodeEvent(stream.jobId, text) };
      if (stream.stream === "job") return join(channelOf("job"), (text) => listener(onEvent(text)));
      // Whether a draft goes on is a matter of its job's status.
      const ends = await Promise.all([
        join(channelOf("draft"), () => listener({})),
        join(channelOf("job"), (text) => {
          if (onEvent(text).event?.type !== "progress") listener({});
        }),
      ]);
      return () => ends.forEach((end) => end());
    },
  };
}

const slotOf = (channel: string) => channel.slice(0, channel.indexOf("}"));

/** Channels of one tick are asked for together: those of one slot in one command. */
function createSubscriber(redis: Client) {
  /** What is to become of each channel. */
  const wanted = new Map<string, "on" | "off">();
  let sent: Promise<void> | undefined;

  function change(channel: string, to: "on" | "off"): Promise<void> {
    wanted.set(channel, to);
    sent ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        sent = undefined;
        send().then(resolve, reject);
      });
    });
    return sent;
  }

  async function send(): Promise<void> {
    const bySlot = new Map<string, { on: string[]; off: string[] }>();
    for (const [channel, to] of wanted) {
      const slot = slotOf(channel);
      const channels = bySlot.get(slot) ?? { on: [], off: [] };
      bySlot.set(slot, channels);
      channels[to].push(channel);
    }
    wanted.clear();
    const calls: Promise<unknown>[] = [];
    for (const { on, off } of bySlot.values()) {
      if (on.length > 0) calls.push(redis.ssubscribe(...on));
      if (off.length > 0) calls.push(redis.sunsubscribe(...off));
    }
    await Promise.all(calls);
  }

  return {
    subscribe: (channel: string) => change(channel, "on"),
    unsubscribe(channel: string) {
      // Where that fails the connection is gone, and the subscription with it.
      change(channel, "off").catch(() => undefined);
    },
    /**
     * Resolves when what ioredis asked for again by itself is subscribed: what is asked later is answered after that,
     * so that one channel of each slot tells.
     */
    async follow(channels: Iterable<string>): Promise<void> {
      const last = new Map(Array.from(channels, (channel) => [slotOf(channel), channel]));
      await Promise.all(Array.from(last.values(), (channel) => redis.ssubscribe(channel)));
    },
  };
}
