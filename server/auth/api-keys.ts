/** The management of API keys: what the command does, in the server or on an engine of its own. */
import { v7 as newId } from "uuid";
import type { ApiKeyPage, ApiKeyQuery, ApiKeyStore } from "#server/engine/contract.ts";
import type { ApiKey, ApiKeyRequest } from "#shared/api-key.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { AppError } from "#shared/errors.ts";
import { hashOfApiKey, newApiKey } from "./api-key.ts";
import type { Audit } from "./audit.ts";

export interface ApiKeys {
  /** Returns the key itself, for the only time. `BAD_REQUEST` if it would be expired, or its tenant has too many. */
  create(request: ApiKeyRequest): Promise<{ key: string; record: ApiKey }>;
  /** Newest first. */
  list(query: ApiKeyQuery): Promise<ApiKeyPage>;
  /** `NOT_FOUND` if there is no such key. */
  revoke(id: string): Promise<ApiKey>;
}

interface ApiKeysOptions {
  store: ApiKeyStore;
  audit: Pick<Audit, "record">;
  now: () => Date;
}

export function createApiKeys({ store, audit, now }: ApiKeysOptions): ApiKeys {
  return {
    async create(request) {
      const createdAt = now();
      if (request.expiresAt !== null && request.expiresAt <= createdAt) {
        const expires = request.expiresAt.toISOString();
        throw new AppError("BAD_REQUEST", `The key would be expired: ${expires} has passed.`);
      }
      const key = newApiKey();
      const hash = hashOfApiKey(key);
      if (hash === undefined) throw new AppError("INTERNAL", "A new key has not the form of keys.");
      const scopes = [...new Set(request.scopes)];
      const record = await store.create({ ...request, scopes, id: newId(), createdAt }, hash);
      const { tenant, id: target } = record;
      await audit.record(tenant, { action: "key.create", target, actor: COMMAND_ACTOR });
      return { key, record };
    },
    list: (query) => store.list(query),
    async revoke(id) {
      const at = now();
      const record = await store.revoke(id, at);
      if (record === undefined) throw new AppError("NOT_FOUND", `There is no API key ${id}.`);
      // Else it was revoked before.
      if (record.revokedAt?.getTime() === at.getTime()) {
        const { tenant, id: target } = record;
        await audit.record(tenant, { action: "key.revoke", target, actor: COMMAND_ACTOR });
      }
      return record;
    },
  };
}
