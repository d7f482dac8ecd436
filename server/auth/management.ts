/** What people manage with the command, in the server or on an engine of its own. */
import type { Engine } from "#server/engine/contract.ts";
import type { UserPage, UserQuery } from "#shared/known-user.ts";
import type { Revoked } from "#shared/revocation.ts";
import { type ApiKeys, createApiKeys } from "./api-keys.ts";
import { type Audit, createAudit } from "./audit.ts";
import { createRevocations, type Revocations } from "./revocations.ts";

export interface Management {
  readonly apiKeys: ApiKeys;
  readonly revocations: Revocations;
  readonly audit: Pick<Audit, "list">;
  readonly users: {
    /** A page of the users that the server knows of. */
    list(query: UserQuery): Promise<UserPage>;
  };
}

interface ManagementOptions {
  now: () => Date;
  /** Receives entries of audit lists that could not be stored. */
  tell: (error: unknown, what: string) => void;
  /** Called after each revocation of a token or a user. */
  onRevoked?: ((revoked: Revoked) => void) | undefined;
}

export function createManagement(
  engine: Pick<Engine, "apiKeys" | "revocations" | "audit" | "listUsers">,
  { now, tell, onRevoked }: ManagementOptions,
): Management {
  const audit = createAudit({ store: engine.audit, now, tell });
  return {
    apiKeys: createApiKeys({ store: engine.apiKeys, audit, now }),
    revocations: createRevocations({ store: engine.revocations, audit, now, onRevoked }),
    audit,
    users: { list: (query) => engine.listUsers(query, now()) },
  };
}
