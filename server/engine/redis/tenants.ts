/**
 * Whose a job or batch is. Callers know ids; keys begin with the tenant. It is written before anything of the tenant,
 * and never changes.
 */
import type { Client } from "./client.ts";
import { LRUCache } from "lru-cache";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export interface Tenants {
  /** `undefined`: there is no such job or batch. */
  of(id: string): Promise<string | undefined>;
  /** Before jobs or batches of these ids are created. Answers with one that is another tenant's already. */
  note(tenant: string, ids: readonly string[]): Promise<string | undefined>;
  forget(ids: readonly string[]): Promise<void>;
  /** All that ever had a job. */
  all(): Promise<string[]>;
}

const REMEMBERED = 100_000;

export function createTenants(redis: Client, run: RunScript, keys: Keys): Tenants {
  const known = new LRUCache<string, string>({ max: REMEMBERED });
  return {
    async of(id) {
      const remembered = known.get(id);
      if (remembered !== undefined) return remembered;
      const found = (await redis.hget(keys.tenantOf(id), id)) ?? undefined;
      if (found !== undefined) known.set(id, found);
      return found;
    },
    async note(tenant, ids) {
      // Each time: a Redis that lost its last second has forgotten a new tenant too.
      const [taken] = await Promise.all([
        run<string | null>("note-tenant", keys.directory, tenant, ids),
        redis.sadd(keys.tenants, tenant),
      ]);
      if (taken !== null) return taken;
      for (const id of ids) known.set(id, tenant);
      return undefined;
    },
    async forget(ids) {
      for (const id of ids) known.delete(id);
      await Promise.all(ids.map((id) => redis.hdel(keys.tenantOf(id), id)));
    },
    all: () => redis.smembers(keys.tenants),
  };
}
