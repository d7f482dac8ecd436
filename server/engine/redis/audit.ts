/**
 * The audit lists of tenants: one stream for each, in the tenant's slot, so that the script of a change adds the entry too. Its
 * ids are `<n>-0`, with the positions of the tenant's lists as `n`.
 */
import type { AuditQuery, AuditStore, StoredAuditEntry } from "#server/engine/audit-store.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { TransferAuditEntry } from "#server/engine/transfer.ts";
import { AuditEntrySchema } from "#shared/audit.schema.ts";
import type { AuditEntry } from "#shared/audit.ts";
import { MAX_AUDIT_ENTRIES } from "#shared/limits.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** An entry that is to be deleted. */
interface Old {
  key: string;
  n: number;
}

interface AuditOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "ofAll">;
  encodeAudit: EncodeAudit;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createAudit({
  redis,
  run,
  keys,
  tenants,
  encodeAudit,
  op,
}: AuditOptions): AuditStore {
  async function oldestOf(tenant: string, before: Date, limit: number): Promise<Old[]> {
    const key = keys.audit(tenant);
    const oldest = (await redis.xrange(key, "-", "+", "COUNT", limit)).map(decode);
    const kept = oldest.findIndex(({ at }) => at >= before);
    return oldest.slice(0, kept === -1 ? limit : kept).map(({ n }) => ({ key, n }));
  }

  return {
    async append(tenant, entry) {
      // A tenant with API keys alone is not listed yet.
      await redis.sadd(keys.tenants, tenant);
      await run("append-audit", keys.tenant(tenant), op(), encodeAudit(entry));
    },
    async list({ tenant, cursor, limit }: AuditQuery) {
      const before = pageBefore(cursor);
      const found = await redis.xrevrange(
        keys.audit(tenant),
        `(${before}-0`,
        "-",
        "COUNT",
        limit + 1,
      );
      const { rows, nextCursor } = pageOf(found.map(decode), limit);
      return { items: [...rows], nextCursor };
    },
    async prune(before, limit) {
      const old = await tenants.ofAll((tenant) => oldestOf(tenant, before, limit), limit);
      const dropping = old.slice(0, limit).map(({ key, n }) => redis.xdel(key, `${n}-0`));
      const dropped = await Promise.all(dropping);
      return dropped.reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Returns the text that scripts store: the limit of the list, which they enforce, and the entry without field names. */
export type EncodeAudit = (entry: AuditEntry) => string;

export function createAuditEncoder(maxEntries: number): EncodeAudit {
  return ({ at, action, target, actor: { user, via, credential } }) =>
    `${maxEntries} ${JSON.stringify([at.getTime(), action, target, user, via, credential])}`;
}

function decode([id, fields]: [id: string, fields: string[]]): StoredAuditEntry {
  const [, stored = ""] = fields;
  const text = stored.slice(stored.indexOf(" ") + 1);
  const [time, action, target, user, via, credential] = JSON.parse(text) as unknown[];
  const actor = { user, via, credential };
  const at = new Date(Number(time));
  return { n: Number.parseInt(id, 10), ...AuditEntrySchema.parse({ at, action, target, actor }) };
}

/** Stores an entry of another engine. Those of a tenant come in the order of their creation. */
export function putAuditEntry(
  redis: Client,
  keys: Keys,
  { tenant, n, entry }: TransferAuditEntry,
): Promise<unknown>[] {
  const encodeAudit = createAuditEncoder(MAX_AUDIT_ENTRIES);
  return [
    redis.sadd(keys.tenants, tenant),
    redis.xadd(keys.audit(tenant), `${n}-0`, "e", encodeAudit(entry)),
  ];
}
