/** The token behind a caller: its own, or the one that its sign-in was made with. */
import type { CredentialRef } from "#shared/checked-caller.ts";
import type { IssuedToken } from "./revocation-check.ts";

interface TokenCaller {
  readonly principal: { readonly userId: string; readonly tenantId: string };
  readonly credential?: CredentialRef | undefined;
}

/** `undefined`: the caller has no token, but an API key, whose own record says whether it was revoked. */
export function issuedTokenOf({ principal, credential }: TokenCaller): IssuedToken | undefined {
  if (credential === undefined || credential.kind === "key") return undefined;
  return {
    tenant: principal.tenantId,
    user: principal.userId,
    id: credential.id,
    issuedAt: credential.issuedAt ?? 0,
  };
}
