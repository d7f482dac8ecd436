/**
 * Sharded channels. What is wanted and not subscribed is asked for until it is, at the node that has its slot. A
 * connection that breaks, or from which a slot moved away, is thrown away with all that it had: that is then wanted and
 * not subscribed, like what nobody asked for before.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { AppError } from "#shared/errors.ts";
import type { Nodes } from "./client.ts";
import { asAppError } from "./errors.ts";

export interface Subscriber {
  /** Resolves when it is told what is published from now on. Waits for Redis for as long as that takes. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /** Whoever still waits is refused. */
  close(): void;
}

export interface Told {
  message(channel: string, text: string): void;
  /** It is subscribed again, and what was published meanwhile is lost. */
  back(channel: string): void;
}

/** One time that a channel is wanted: one that is left and wanted again is another. */
interface Channel {
  name: string;
  /** Where it was asked for. Commands of one connection are followed in their order. */
  at: Redis | undefined;
  /** It is subscribed. */
  on: boolean;
  wasOn: boolean;
  ready: PromiseWithResolvers<void>;
}

/** Channels of one slot. */
interface Group {
  tag: string;
  channels: Map<string, Channel>;
  /** Wanted, and not asked for yet. */
  missing: Set<Channel>;
  /** Not wanted any more, and where it was asked for. */
  left: Map<string, Redis>;
  /** The node that has the slot, as far as is known. */
  address: string | undefined;
  soon: boolean;
  /** Commands that have no answer yet. */
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
      // What comes before it is told that it is back is not the next after what it was told last.
      const channel = groups.get(tagOf(name))?.channels.get(name);
      if (channel?.on === true && channel.at === redis) told.message(name, text);
    });
    // It is over, or a slot of it is elsewhere now.
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

  /** What comes within one tick is asked for together. */
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

  /** Before it is asked for what is missing: who comes back within the tick is subscribed last. */
  function leave({ left }: Group): void {
    for (const redis of new Set(left.values())) {
      const names = Array.from(left.keys()).filter((name) => left.get(name) === redis);
      // Where that fails the connection is gone, and the subscription with it.
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

  /** Not those that were subscribed before: they are asked for again. */
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

/** What of a channel says in which slot it is. */
function tagOf(channel: string): string {
  return channel.slice(0, channel.indexOf("}"));
}

function closed(): AppError {
  return new AppError("UNAVAILABLE", "Redis is closed: the server is stopping.");
}

/** Redis answers, and will not answer otherwise by being asked again. */
function isRefusal(error: unknown): boolean {
  const isOfSlots = error instanceof Error && /^(?:MOVED|ASK) /.test(error.message);
  return !isOfSlots && asAppError(error, "Redis").code !== "UNAVAILABLE";
}
