/** The owners whose jobs and batches a caller asks for, in lists and feeds. */
import { AppError } from "./errors.ts";
import { hasScope, ownerOf, type OwnerFilter, type Principal } from "./principal.ts";

/** Neither of them: the caller's own. */
export interface OwnersAsked {
  /** The user whose they are. */
  owner?: string | undefined;
  /** Those of all users of the caller's tenant. */
  allOwners?: boolean | undefined;
}

/** Throws `FORBIDDEN` if the principal may not read those of others. It never reads across tenants. */
export function ownersFor(
  principal: Principal,
  { owner, allOwners = false }: OwnersAsked = {},
): OwnerFilter {
  const own = ownerOf(principal);
  if (!allOwners && (owner === undefined || owner === own.owner)) return own;
  if (!hasScope(principal, "tenant")) {
    throw new AppError(
      "FORBIDDEN",
      "To see jobs of others you need the scope tenant, which your credentials do not grant.",
    );
  }
  return allOwners ? { tenant: own.tenant } : { tenant: own.tenant, owner };
}
