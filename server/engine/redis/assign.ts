/**
 * Gives jobs and batches to another owner. All keys of a tenant lie in one slot, so there is a short way within a tenant, and a
 * longer one to another tenant.
 */
import { type Assigned, refuseSameOwner } from "#server/engine/assignment.ts";
import { AppError } from "#shared/errors.ts";
import { isSameOwner, type Owner } from "#shared/principal.ts";
import { createAssignAcrossTenants } from "./assign-across-tenants.ts";
import { createAssignInTenant } from "./assign-in-tenant.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import { createMoves } from "./moves.ts";
import type { Newest } from "./newest.ts";
import type { RunScript } from "./scripts.ts";
import type { StagedBatches } from "./staged-batches.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

interface AssignOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
  newest: Pick<Newest, "forget">;
  staged: Pick<StagedBatches, "landAll">;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function createAssign(
  options: AssignOptions,
): (from: Owner, to: Owner, limit: number) => Promise<Assigned> {
  const moves = createMoves(options);
  const inTenant = createAssignInTenant(options);
  const acrossTenants = createAssignAcrossTenants({ ...options, moves });

  return async (from, to, limit) => {
    refuseSameOwner(from, to);
    const interrupted = (await moves.begun(from)).find((move) => !isSameOwner(move.to, to));
    if (interrupted !== undefined) throw finishFirst(interrupted.to);
    return from.tenant === to.tenant ? inTenant(from, to, limit) : acrossTenants(from, to, limit);
  };
}

function finishFirst({ tenant, owner }: Owner): AppError {
  return new AppError(
    "BAD_REQUEST",
    `An assignment to user ${JSON.stringify(owner)} of tenant ${JSON.stringify(tenant)} was interrupted. Repeat that one first.`,
  );
}
