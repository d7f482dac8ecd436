/** The token behind a caller: its own, that of its sign-in, or that of the maker of its stream token. A provider's counts as one without an id. */
import type { CredentialRef, Maker } from "#shared/checked-caller.ts";
import type { IssuedToken } from "./revocation-check.ts";

interface TokenCaller {
  readonly principal: { readonly userId: string; readonly tenantId: string };
  readonly credential?: CredentialRef | undefined;
  readonly maker?: Pick<Maker, "user"> | undefined;
}

/** `undefined`: the caller has no token, but an API key, whose own record says whether it was revoked. */
export function issuedTokenOf({
  principal,
  credential,
  maker,
}: TokenCaller): IssuedToken | undefined {
  if (credential === undefined || credential.kind === "key") return undefined;
  return {
    tenant: principal.tenantId,
    user: maker?.user ?? principal.userId,
    id: credential.kind === "token" ? credential.id : null,
    issuedAt: credential.issuedAt ?? 0,
  };
}
