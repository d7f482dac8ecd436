/**
 * API keys. Callers name no tenant before their key is read, so the keys of all tenants lie in one slot, and each call is one
 * script. Gateways keep what they read for some seconds, so this slot has little to do.
 */
import { type ApiKeyStore, type NewApiKey, tooManyKeys } from "#server/engine/api-key-store.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { TransferApiKey } from "#server/engine/transfer.ts";
import { ApiKeySchema } from "#shared/api-key.schema.ts";
import type { ApiKey } from "#shared/api-key.ts";
import { MAX_API_KEYS } from "#shared/limits.ts";
import type { Client } from "./client.ts";
import { alwaysThere, type Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

/** Names and values in turn, as HGETALL returns them. */
type Flat = readonly string[];

export function createApiKeys(
  redis: Client,
  run: RunScript,
  { apiKeys: prefix }: Keys,
): ApiKeyStore {
  return {
    async create(key, hash) {
      const { id, tenant, createdAt, expiresAt } = key;
      const fields = await run<Flat>(
        "create-api-key",
        prefix,
        id,
        hash,
        encodeURIComponent(tenant),
        madeOf(key),
        createdAt.getTime(),
        `${expiresAt?.getTime() ?? ""}`,
        MAX_API_KEYS,
      );
      if (fields.length === 0) throw tooManyKeys(tenant);
      return decode(fields).key;
    },
    async find(hash) {
      return decodeFound(await run<Flat>("find-api-key", prefix, hash));
    },
    async list({ tenant, cursor, limit }) {
      const list = tenant === undefined ? "all" : `of:${encodeURIComponent(tenant)}`;
      const before = pageBefore(cursor);
      const found = await run<Flat[]>("list-api-keys", prefix, list, before, limit + 1);
      const { rows, nextCursor } = pageOf(found.map(decode), limit);
      return { items: rows.map(({ key }) => key), nextCursor };
    },
    async revoke(id, at) {
      // It never changes.
      const made = await redis.hget(`${prefix}:key:${id}`, "made");
      if (made === null) return undefined;
      const tenant = encodeURIComponent((JSON.parse(made) as Pick<NewApiKey, "tenant">).tenant);
      return decodeFound(await run<Flat>("revoke-api-key", prefix, id, at.getTime(), tenant));
    },
    async noteUse(id, at) {
      await run("use-api-key", prefix, id, at.getTime());
    },
  };
}

/** The part of a key that never changes, but for its times. */
function madeOf({ tenant, user, scopes, label }: NewApiKey): string {
  return JSON.stringify({ tenant, user, scopes, label });
}

function decodeFound(fields: Flat): ApiKey | undefined {
  return fields.length === 0 ? undefined : decode(fields).key;
}

function decode(flat: Flat): { n: number; key: ApiKey } {
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? "", flat[at + 1] ?? "");
  const key = ApiKeySchema.parse({
    ...(JSON.parse(fields.get("made") ?? "null") as object | null),
    id: fields.get("id"),
    createdAt: dateOf(fields.get("created")),
    expiresAt: dateOf(fields.get("expires")),
    lastUsedAt: dateOf(fields.get("used")),
    revokedAt: dateOf(fields.get("revoked")),
  });
  return { n: Number(fields.get("n")), key };
}

function dateOf(ms: string | undefined): Date | null {
  return ms === undefined || ms === "" ? null : new Date(Number(ms));
}

/** The commands that store a key of another engine. */
export function putApiKey(
  redis: Client,
  { apiKeys: prefix }: Keys,
  { n, key, hash }: TransferApiKey,
): Promise<unknown>[] {
  const { id, tenant, createdAt, expiresAt, lastUsedAt, revokedAt } = key;
  const fields: Record<string, string | number> = {
    id,
    n,
    hash,
    made: madeOf(key),
    created: createdAt.getTime(),
    expires: `${expiresAt?.getTime() ?? ""}`,
  };
  if (lastUsedAt !== null) fields.used = lastUsedAt.getTime();
  if (revokedAt !== null) fields.revoked = revokedAt.getTime();
  return [
    redis.hset(`${prefix}:key:${id}`, fields),
    redis.hset(`${prefix}:hashes`, hash, id),
    redis.zadd(`${prefix}:all`, n, id),
    redis.zadd(`${prefix}:of:${encodeURIComponent(tenant)}`, n, id),
    // The newest number: keys come in the order of their creation.
    redis.set(alwaysThere(prefix), n),
  ];
}

/** True if any tenant has API keys. */
export async function hasApiKeys(redis: Client, { apiKeys: prefix }: Keys): Promise<boolean> {
  return (await redis.exists(`${prefix}:all`)) === 1;
}
