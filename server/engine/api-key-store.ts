/** The part of an engine that stores API keys. Its methods reject as those of the engine do (`contract.ts`). */
import type { ApiKey } from "#shared/api-key.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_API_KEYS } from "#shared/limits.ts";

export type NewApiKey = Omit<ApiKey, "lastUsedAt" | "revokedAt">;

/** `hash` is the SHA-256 of a key, as hexadecimal digits. */
export interface ApiKeyStore {
  /**
   * Of a tenant with `MAX_API_KEYS` the oldest key that was revoked, or had expired at `createdAt`, makes room. When there is
   * none, rejects with `BAD_REQUEST`.
   */
  create(key: NewApiKey, hash: string): Promise<ApiKey>;
  /** Also finds revoked and expired keys. */
  find(hash: string): Promise<ApiKey | undefined>;
  /** Newest first. */
  list(query: ApiKeyQuery): Promise<ApiKeyPage>;
  /**
   * Together with this it removes the share links that the key made. Returns `undefined` if there is no such key. A key that was
   * revoked keeps its first `revokedAt`.
   */
  revoke(id: string, at: Date): Promise<ApiKey | undefined>;
  /** Stores `lastUsedAt`. An earlier time than the stored one, and an unknown key, change nothing. */
  noteUse(id: string, at: Date): Promise<void>;
}

export interface ApiKeyQuery {
  /** Absent: the keys of all tenants. */
  tenant?: string | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit: number;
}

export interface ApiKeyPage {
  items: ApiKey[];
  nextCursor: string | null;
}

export function tooManyKeys(tenant: string): AppError {
  return new AppError(
    "BAD_REQUEST",
    `Tenant ${JSON.stringify(tenant)} has ${MAX_API_KEYS} API keys, the limit (MAX_API_KEYS). Revoke one that is not used any more.`,
  );
}
