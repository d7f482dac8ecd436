/**
 * Limits of how many things are open at the same time: connections, subscriptions. Each process counts its own. Gateways that
 * share a Redis publish their counts there, and add those of the others when a key comes near its limit.
 *
 * A process publishes all of its counts under one key, which ends with the process: it expires when no heartbeat renews it. So
 * the connections of a killed process count for `OPEN_LEASE_MS` at most.
 */
import { randomUUID } from "node:crypto";
import type { SharedRedis } from "./shared-redis.ts";

const OPEN_LEASE_MS = 15_000;
const HEARTBEAT_MS = 5000;
/** The process reads the counts of the others again after this time. */
const ASK_AGAIN_MS = 1000;
/** The part of the limit below which what the others had a moment ago is good enough. */
const FAR = 0.25;

interface Count {
  own: number;
  /** Of the other processes, as last read. */
  others: number;
  /** On the clock of `performance.now()`. */
  askedAt: number;
}

export interface OpenCounts {
  /** Counts one more of a key, and returns what counts it off; `undefined` beyond `most`. Knows of others what it last read. */
  openNow(key: string, most: number): (() => void) | undefined;
  /** The same, but asks the others where that matters. Never rejects. */
  open(key: string, most: number): Promise<(() => void) | undefined>;
  close(): Promise<void>;
}

interface Options {
  redis: SharedRedis | undefined;
  leaseMs?: number;
  heartbeatMs?: number;
}

export function createOpenCounts({
  redis,
  leaseMs = OPEN_LEASE_MS,
  heartbeatMs = HEARTBEAT_MS,
}: Options): OpenCounts {
  const self = randomUUID();
  const counts = new Map<string, Count>();
  /** Keys whose counts differ from the published ones. */
  const changed = new Set<string>();
  const asking = new Map<string, Promise<void>>();

  function countOf(key: string): Count {
    const known = counts.get(key);
    if (known !== undefined) return known;
    const fresh = { own: 0, others: 0, askedAt: Number.NEGATIVE_INFINITY };
    counts.set(key, fresh);
    return fresh;
  }

  function change(key: string, by: 1 | -1): void {
    const count = countOf(key);
    count.own += by;
    if (redis !== undefined) changed.add(key);
    if (count.own === 0 && !asking.has(key)) counts.delete(key);
  }

  function taken(key: string): () => void {
    let isOpen = true;
    return () => {
      if (isOpen) change(key, -1);
      isOpen = false;
    };
  }

  function isBeyond(key: string, most: number): boolean {
    const { own, others } = countOf(key);
    return own + others > most;
  }

  function refuse(key: string): undefined {
    change(key, -1);
    // Otherwise the others would count the refused one until the next heartbeat.
    void ask(key);
  }

  const hashOf = (name: string) => `${redis?.prefix}:open:${name}`;
  const processes = `${redis?.prefix}:processes`;

  /** Publishes what has changed. */
  async function publish({ client }: SharedRedis): Promise<void> {
    const keys = [...changed];
    changed.clear();
    try {
      const hash = hashOf(self);
      const [known] = await Promise.all([
        client.exists(hash),
        ...keys.map((key) => {
          const own = counts.get(key)?.own ?? 0;
          return own === 0 ? client.hdel(hash, key) : client.hset(hash, key, `${own}`);
        }),
        client.pexpire(hash, leaseMs),
        client.zadd(processes, Date.now(), self),
      ]);
      // Redis has lost what was published before, so all of it is published again with the next call.
      if (known === 0) for (const [key, { own }] of counts) if (own > 0) changed.add(key);
    } catch (error) {
      for (const key of keys) changed.add(key);
      throw error;
    }
  }

  async function readOthers({ client }: SharedRedis, key: string): Promise<number> {
    const others = (await client.zrangebyscore(processes, "-inf", "+inf")).filter(
      (name) => name !== self,
    );
    const read = await Promise.all(others.map((name) => client.hget(hashOf(name), key)));
    return read.reduce((sum, own) => sum + Number(own ?? 0), 0);
  }

  /** Publishes first: of two processes that open the last one at the same time, at least one sees the other. */
  function ask(key: string): Promise<void> {
    if (redis === undefined) return Promise.resolve();
    const known = asking.get(key);
    if (known !== undefined) return known;
    const count = countOf(key);
    const asked = redis
      .ask(async () => {
        await publish(redis);
        return readOthers(redis, key);
      })
      .then((others) => {
        // Without an answer, this process counts for itself.
        count.others = others ?? 0;
        count.askedAt = performance.now();
      })
      .finally(() => {
        asking.delete(key);
        if (count.own === 0 && counts.get(key) === count) counts.delete(key);
      });
    asking.set(key, asked);
    return asked;
  }

  function isStale(key: string): boolean {
    return performance.now() - countOf(key).askedAt >= ASK_AGAIN_MS;
  }

  async function beat(shared: SharedRedis): Promise<void> {
    await shared.ask(async () => {
      await publish(shared);
      await shared.client.zremrangebyscore(processes, "-inf", Date.now() - 2 * leaseMs);
    });
  }

  const timer = redis && setInterval(() => void beat(redis), heartbeatMs).unref();

  return {
    openNow(key, most) {
      change(key, 1);
      if (redis !== undefined && isStale(key)) void ask(key);
      return isBeyond(key, most) ? refuse(key) : taken(key);
    },
    async open(key, most) {
      change(key, 1);
      if (redis !== undefined) {
        // One that is under way may have published before this one was counted.
        await asking.get(key);
        const { own, others } = countOf(key);
        if (isStale(key) || own + others > most * FAR) await ask(key);
      }
      return isBeyond(key, most) ? refuse(key) : taken(key);
    },
    async close() {
      clearInterval(timer);
      await redis?.ask(() =>
        Promise.all([redis.client.del(hashOf(self)), redis.client.zrem(processes, self)]),
      );
    },
  };
}
