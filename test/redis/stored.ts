/** For tests: all that a Redis or a cluster stores. */
import { type Client, mastersOf } from "#server/engine/redis/client.ts";

export interface Stored {
  /** Deletes the keys that match, and stores these again. */
  restore(): Promise<void>;
}

export async function keysOf(client: Client, pattern: string): Promise<string[]> {
  const found = await Promise.all(mastersOf(client).map((node) => node.keys(pattern)));
  return found.flat().toSorted();
}

/** Without what claims gave, which is remembered for some time. */
export async function lastingKeysOf(client: Client, pattern: string): Promise<string[]> {
  return (await keysOf(client, pattern)).filter((key) => !key.includes(":taken:"));
}

export async function keep(client: Client, pattern: string): Promise<Stored> {
  const names = await keysOf(client, pattern);
  const dumps = await Promise.all(names.map((name) => client.dumpBuffer(name)));
  return {
    async restore() {
      const found = await keysOf(client, pattern);
      await Promise.all(found.map((name) => client.unlink(name)));
      await Promise.all(
        names.map((name, index) => client.restore(name, 0, dumps[index] ?? Buffer.of(), "REPLACE")),
      );
    },
  };
}

/** The contents of the keys that match, in a form that can be compared. */
export async function contentsOf(
  client: Client,
  pattern: string,
): Promise<Record<string, unknown>> {
  const names = await keysOf(client, pattern);
  const values = await Promise.all(names.map((name) => valueOf(client, name)));
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

async function valueOf(client: Client, name: string): Promise<unknown> {
  const type = await client.type(name);
  switch (type) {
    case "hash":
      return client.hgetall(name);
    case "list":
      return client.lrange(name, 0, -1);
    case "set":
      return (await client.smembers(name)).toSorted();
    case "zset":
      return client.zrange(name, "0", "-1", "WITHSCORES");
    case "stream":
      return client.xrange(name, "-", "+");
    default:
      return client.get(name);
  }
}
