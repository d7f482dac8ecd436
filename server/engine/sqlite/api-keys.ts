/** API keys, found by their SHA-256. */
import type { DatabaseSync } from "node:sqlite";
import {
  type ApiKeyPage,
  type ApiKeyQuery,
  type NewApiKey,
  tooManyKeys,
} from "#server/engine/api-key-store.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { TransferApiKey } from "#server/engine/transfer.ts";
import { ApiKeySchema } from "#shared/api-key.schema.ts";
import type { ApiKey } from "#shared/api-key.ts";
import { MAX_API_KEYS } from "#shared/limits.ts";
import { LIMIT } from "./limit.ts";
import type { Outbox } from "./outbox.ts";
import type { ShareLinks } from "./share-links.ts";

export interface ApiKeys {
  create(key: NewApiKey, hash: string): ApiKey;
  find(hash: string): ApiKey | undefined;
  list(query: ApiKeyQuery): ApiKeyPage;
  revoke(id: string, at: Date): ApiKey | undefined;
  /** Returns the number of keys that were not revoked before. */
  revokeOfUser(tenant: string, user: string, at: Date): number;
  noteUse(id: string, at: Date): void;
}

interface Row {
  n: number;
  id: string;
  hash: string;
  tenant: string;
  user: string;
  scopes: string;
  label: string;
  created_at: number;
  expires_at: number | null;
  used_at: number | null;
  revoked_at: number | null;
}

const COLUMNS =
  "n, id, hash, tenant, user, scopes, label, created_at, expires_at, used_at, revoked_at";

export function createApiKeys(
  db: DatabaseSync,
  shareLinks: Pick<ShareLinks, "removeOfKey">,
  outbox: Pick<Outbox, "credentialEnded">,
): ApiKeys {
  const insert = db.prepare(
    `INSERT INTO api_keys (id, hash, tenant, user, scopes, label, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
  );
  const byHash = db.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE hash = ?`);
  const pageOfAll = db.prepare(
    `SELECT ${COLUMNS} FROM api_keys WHERE n < ? ORDER BY n DESC ${LIMIT}`,
  );
  const pageOfTenant = db.prepare(
    `SELECT ${COLUMNS} FROM api_keys WHERE tenant = ? AND n < ? ORDER BY n DESC ${LIMIT}`,
  );
  const countOf = db.prepare("SELECT count(*) AS count FROM api_keys WHERE tenant = ?");
  const dropOldestEnded = db.prepare(
    `DELETE FROM api_keys WHERE n = (
       SELECT n FROM api_keys WHERE tenant = ? AND (revoked_at IS NOT NULL OR expires_at <= ?) ORDER BY n LIMIT 1)`,
  );
  const revoke = db.prepare(
    `UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING ${COLUMNS}`,
  );
  const revokeOfUser = db.prepare(
    "UPDATE api_keys SET revoked_at = ? WHERE tenant = ? AND user = ? AND revoked_at IS NULL",
  );
  const use = db.prepare(
    "UPDATE api_keys SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)",
  );

  return {
    create({ id, tenant, user, scopes, label, createdAt, expiresAt }, hash) {
      const { count } = countOf.get(tenant) as { count: number };
      if (count >= MAX_API_KEYS && dropOldestEnded.run(tenant, createdAt.getTime()).changes === 0) {
        throw tooManyKeys(tenant);
      }
      const times = [createdAt.getTime(), expiresAt?.getTime() ?? null] as const;
      const row = insert.get(id, hash, tenant, user, JSON.stringify(scopes), label, ...times);
      return keyOfRow(row as unknown as Row);
    },
    find(hash) {
      const row = byHash.get(hash) as Row | undefined;
      return row && keyOfRow(row);
    },
    list({ tenant, cursor, limit }) {
      const before = pageBefore(cursor);
      const found =
        tenant === undefined
          ? pageOfAll.all(before, limit + 1)
          : pageOfTenant.all(tenant, before, limit + 1);
      const { rows, nextCursor } = pageOf(found as unknown as Row[], limit);
      return { items: rows.map(keyOfRow), nextCursor };
    },
    revoke(id, at) {
      const row = revoke.get(at.getTime(), id) as Row | undefined;
      if (row === undefined) return undefined;
      shareLinks.removeOfKey(row.tenant, row.hash);
      outbox.credentialEnded({ kind: "key", hash: row.hash });
      return keyOfRow(row);
    },
    revokeOfUser: (tenant, user, at) =>
      Number(revokeOfUser.run(at.getTime(), tenant, user).changes),
    noteUse: (id, at) => void use.run(at.getTime(), id, at.getTime()),
  };
}

function keyOfRow(row: Row): ApiKey {
  return ApiKeySchema.parse({
    id: row.id,
    tenant: row.tenant,
    user: row.user,
    scopes: JSON.parse(row.scopes) as unknown,
    label: row.label,
    createdAt: new Date(row.created_at),
    expiresAt: dateOf(row.expires_at),
    lastUsedAt: dateOf(row.used_at),
    revokedAt: dateOf(row.revoked_at),
  });
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/** In the order of their creation. */
export function* readApiKeys(db: DatabaseSync): Iterable<TransferApiKey> {
  const rows = db
    .prepare(`SELECT ${COLUMNS} FROM api_keys ORDER BY n`)
    .iterate() as unknown as Iterable<Row>;
  for (const row of rows) yield { n: row.n, key: keyOfRow(row), hash: row.hash };
}
