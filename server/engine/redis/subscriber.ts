/**
 * Subscriptions to sharded channels. The subscriber subscribes to a wanted channel at the node of its slot, and retries until
 * it succeeds. It discards a client whose connection breaks or from which a slot moved away; that client's channels then
 * count as wanted but not subscribed, like new ones.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { AppError } from "#shared/errors.ts";
import type { Nodes } from "./client.ts";
import { asAppError } from "./errors.ts";

export interface Subscriber {
  /** Resolves once the channel's new messages will arrive. Waits for Redis without a limit. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /** Pending subscriptions reject. */
  close(): void;
}

export interface Told {
  message(channel: string, text: string): void;
  /** Called when the channel is subscribed again. Messages that were published meanwhile are lost. */
  back(channel: string): void;
}

/** One subscription. A channel that is left and wanted again gets a new object. */
interface Channel {
  name: string;
  /** The client that sent SSUBSCRIBE. Redis executes the commands of one connection in order. */
  at: Redis | undefined;
  /** True once subscribed. */
  on: boolean;
  wasOn: boolean;
  ready: PromiseWithResolvers<void>;
}

/** The channels of one slot. */
interface Group {
  tag: string;
  channels: Map<string, Channel>;
  /** Wanted channels whose SSUBSCRIBE was not sent yet. */
  missing: Set<Channel>;
  /** Channels that are no longer wanted, with the client that sent SSUBSCRIBE. */
  left: Map<string, Redis>;
  /** The node that has the slot, if known. It may be outdated. */
  address: string | undefined;
  soon: boolean;
  /** The number of commands without an answer. */
  asking: number;
}

const CHANNELS_PER_COMMAND = 1000;
const RETRY_MS = 250;

export function openSubscriber(nodes: Nodes, told: Told): Subscriber {
  const groups = new Map<string, Group>();
  const clients = new Map<string, Redis>();
  let open = true;

  function groupOf(channel: string): Group {
    const tag = tagOf(channel);
    const group = groups.get(tag) ?? {
      tag,
      channels: new Map<string, Channel>(),
      missing: new Set<Channel>(),
      left: new Map<string, Redis>(),
      address: undefined,
      soon: false,
      asking: 0,
    };
    groups.set(tag, group);
    return group;
  }

  function clientOf(address: string): Redis {
    const known = clients.get(address);
    if (known) return known;
    const redis = nodes.open(address);
    clients.set(address, redis);
    redis.on("smessage", (name: string, text: string) => {
      // A message delivered before `back` would hide the loss of earlier ones.
      const channel = groups.get(tagOf(name))?.channels.get(name);
      if (channel?.on === true && channel.at === redis) told.message(name, text);
    });
    // `end`: the connection ended. `moved`: a slot moved to another node.
    for (const event of ["end", "moved"]) redis.once(event, () => discard(address, redis));
    return redis;
  }

  function discard(address: string, redis: Redis): void {
    if (clients.get(address) !== redis) return;
    clients.delete(address);
    redis.disconnect();
    for (const group of groups.values()) {
      if (group.address === address) group.address = undefined;
      for (const channel of group.channels.values()) {
        if (!channel.on || channel.at !== redis) continue;
        channel.on = false;
        channel.at = undefined;
        group.missing.add(channel);
      }
      soon(group);
    }
  }

  /** Sends the requests of one tick together. */
  function soon(group: Group): void {
    if (group.soon || !open) return;
    group.soon = true;
    setImmediate(() => {
      group.soon = false;
      leave(group);
      const wanted = [...group.missing];
      group.missing.clear();
      for (let at = 0; at < wanted.length; at += CHANNELS_PER_COMMAND) {
        void ask(group, wanted.slice(at, at + CHANNELS_PER_COMMAND) as [Channel, ...Channel[]]);
      }
      tidy(group);
    });
  }

  function tidy({ tag, channels, left, soon: more, asking }: Group): void {
    if (channels.size === 0 && left.size === 0 && !more && asking === 0) groups.delete(tag);
  }

  /**
   * Unsubscribes before new subscriptions are sent: a channel that is left and wanted again within a tick stays
   * subscribed.
   */
  function leave({ left }: Group): void {
    for (const redis of new Set(left.values())) {
      const names = Array.from(left.keys()).filter((name) => left.get(name) === redis);
      // It fails only if the connection broke, and then the subscription is gone too.
      redis.sunsubscribe(...names).catch(() => undefined);
    }
    left.clear();
  }

  async function ask(group: Group, missing: readonly [Channel, ...Channel[]]): Promise<void> {
    group.asking += 1;
    let asked: readonly Channel[] = missing;
    let address: string | undefined;
    let redis: Redis | undefined;
    try {
      address = group.address ??= await nodes.addressOf(missing[0].name);
      asked = missing.filter((channel) => isWanted(group, channel));
      if (!open || asked.length === 0) return;
      redis = clientOf(address);
      for (const channel of asked) channel.at = redis;
      await redis.ssubscribe(...asked.map(({ name }) => name));
      if (clients.get(address) !== redis) throw new AppError("UNAVAILABLE", "It broke.");
      for (const channel of asked) if (isWanted(group, channel)) subscribed(channel);
    } catch (error) {
      const isAnswer = error instanceof Error && error.name === "ReplyError";
      if (address !== undefined && redis !== undefined && !isAnswer) discard(address, redis);
      group.address = undefined;
      asked = asked.filter((channel) => isWanted(group, channel));
      for (const channel of asked) {
        channel.at = undefined;
        if (isRefusal(error) && !channel.wasOn) refuse(group, channel, error);
        else group.missing.add(channel);
      }
      await delay(RETRY_MS, undefined, { ref: false });
      soon(group);
    } finally {
      group.asking -= 1;
      tidy(group);
    }
  }

  function subscribed(channel: Channel): void {
    channel.on = true;
    if (channel.wasOn) told.back(channel.name);
    channel.wasOn = true;
    channel.ready.resolve();
  }

  /** Rejects only a first subscription; one that was established before is retried. */
  function refuse(group: Group, channel: Channel, error: unknown): void {
    group.channels.delete(channel.name);
    channel.ready.reject(error);
  }

  return {
    subscribe(name) {
      if (!open) return Promise.reject(closed());
      const group = groupOf(name);
      const known = group.channels.get(name);
      if (known) return known.ready.promise;
      const channel: Channel = {
        name,
        at: undefined,
        on: false,
        wasOn: false,
        ready: Promise.withResolvers(),
      };
      group.channels.set(name, channel);
      group.missing.add(channel);
      soon(group);
      return channel.ready.promise;
    },
    unsubscribe(name) {
      const group = groups.get(tagOf(name));
      const channel = group?.channels.get(name);
      if (group === undefined || channel === undefined) return;
      group.channels.delete(name);
      group.missing.delete(channel);
      if (channel.at) group.left.set(name, channel.at);
      soon(group);
    },
    close() {
      open = false;
      for (const { channels } of groups.values()) {
        for (const { ready } of channels.values()) ready.reject(closed());
      }
      for (const redis of clients.values()) redis.disconnect();
    },
  };
}

function isWanted({ channels }: Group, channel: Channel): boolean {
  return channels.get(channel.name) === channel;
}

/** Returns the hash tag of a channel, which determines its slot. */
function tagOf(channel: string): string {
  return channel.slice(0, channel.indexOf("}"));
}

function closed(): AppError {
  return new AppError("UNAVAILABLE", "Redis is closed: the server is stopping.");
}

/** True for an error of Redis that a retry would not cure. */
function isRefusal(error: unknown): boolean {
  const isOfSlots = error instanceof Error && /^(?:MOVED|ASK) /.test(error.message);
  return !isOfSlots && asAppError(error, "Redis").code !== "UNAVAILABLE";
}
