/** For tests: the entries in one of BullMQ's lists, under the default prefix. */
import type { Redis } from "ioredis";
import { decodeEntry, type Entry, type EntryData } from "#server/engine/redis/places.ts";

const QUEUE = "{jobwire}:jobs";

export async function entriesIn(redis: Redis, list: "wait" | "active"): Promise<Entry[]> {
  const names = await redis.lrange(`${QUEUE}:${list}`, 0, -1);
  return Promise.all(
    names.map(async (name) => {
      const data = (await redis.hget(`${QUEUE}:${name}`, "data")) ?? "{}";
      return decodeEntry(name, JSON.parse(data) as EntryData);
    }),
  );
}
