/** What people manage with the command, in the server or on an engine of its own. */
import type { Engine } from "#server/engine/contract.ts";
import type { UserPage, UserQuery } from "#shared/known-user.ts";
import type { Revoked } from "#shared/revocation.ts";
import { type ApiKeys, createApiKeys } from "./api-keys.ts";
import { createRevocations, type Revocations } from "./revocations.ts";

export interface Management {
  readonly apiKeys: ApiKeys;
  readonly revocations: Revocations;
  readonly users: {
    /** A page of the users that the server knows of. */
    list(query: UserQuery): Promise<UserPage>;
  };
}

interface ManagementOptions {
  now: () => Date;
  /** Called after each revocation of a token or a user. */
  onRevoked?: ((revoked: Revoked) => void) | undefined;
}

export function createManagement(
  engine: Pick<Engine, "apiKeys" | "revocations" | "listUsers">,
  { now, onRevoked }: ManagementOptions,
): Management {
  return {
    apiKeys: createApiKeys({ store: engine.apiKeys, now }),
    revocations: createRevocations({ store: engine.revocations, now, onRevoked }),
    users: { list: (query) => engine.listUsers(query, now()) },
  };
}
