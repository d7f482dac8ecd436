/** Looks up whether the credential that something was made with still counts: a sign-in, a stream token, a link or a ticket. */
import type { CredentialRef, Maker } from "#shared/checked-caller.ts";
import { issuedTokenOf } from "./issued-token.ts";
import type { RevocationCheck } from "./revocation-check.ts";
import { acceptsApiKeys, type AuthSettings } from "./variables.ts";

/** Resolves to why it does not count, for the log; `undefined` if it does. Rejects with the engine's error if it cannot tell. */
export type CredentialCheck = (tenant: string, made: Maker) => Promise<string | undefined>;

interface CredentialReaders {
  /** Absent: no API key is accepted. */
  keys?: { isValid(keyHash: string): Promise<boolean> } | undefined;
  /** Absent: no token is ever revoked. */
  revocations?: Pick<RevocationCheck, "refusal"> | undefined;
  hasSignIn(id: string): Promise<boolean>;
}

export function createCredentialCheck(
  settings: AuthSettings,
  { keys, revocations, hasSignIn }: CredentialReaders,
): CredentialCheck {
  /** Nothing outlives the key that it was made with, nor the server's acceptance of keys or of a provider. */
  async function isAccepted({ kind, id, keyHash }: CredentialRef): Promise<boolean> {
    if (kind === "oidc") return id === settings.OIDC_ISSUER;
    if (kind !== "key") return true;
    if (keys === undefined || keyHash === undefined || !acceptsApiKeys(settings)) return false;
    return keys.isValid(keyHash);
  }

  return async (tenantId, { user, credential, signInId }) => {
    if (!(await isAccepted(credential))) return `its ${credential.kind} is not accepted any more`;
    const issued = issuedTokenOf({ principal: { userId: user, tenantId }, credential });
    const refusal = issued && (await revocations?.refusal(issued));
    if (refusal !== undefined) return refusal;
    if (signInId === undefined || (await hasSignIn(signInId))) return undefined;
    return "its sign-in has ended";
  };
}
