/** The keys that sign stream tokens, share links and tickets. Each is a key of Redis that expires. */
import type { SigningKey, SigningKeyStore } from "#server/engine/signing-key-store.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";

export function createSigningKeys(redis: Client, keys: Keys): SigningKeyStore {
  return {
    async agree({ id, secret, until }) {
      const name = keys.signingKey(id);
      // `NX` and `GET`: of processes that start at once, the first one stores, and all others read what it stored.
      const before = await redis.set(name, secret, "PXAT", until.getTime(), "NX", "GET");
      return before ?? secret;
    },
    async find(id) {
      return (await redis.get(keys.signingKey(id))) ?? undefined;
    },
  };
}

/** The commands that store a key of another engine. */
export function putSigningKey(
  redis: Client,
  keys: Keys,
  { id, secret, until }: SigningKey,
): Promise<unknown>[] {
  return [redis.set(keys.signingKey(id), secret, "PXAT", until.getTime())];
}
