/** The record of an API key. The key itself is shown once, and stored as its SHA-256 only. */

/** What its maker says of it. */
export interface ApiKeyRequest {
  tenant: string;
  /** The user in whose name the key acts: the name of a program. */
  user: string;
  scopes: string[];
  /** For people. */
  label: string;
  expiresAt: Date | null;
}

export interface ApiKey extends ApiKeyRequest {
  id: string;
  createdAt: Date;
  /** Written at most once a minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export type ApiKeyState = "valid" | "expired" | "revoked";

export function stateOf(
  { revokedAt, expiresAt }: Pick<ApiKey, "revokedAt" | "expiresAt">,
  now: Date,
): ApiKeyState {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "valid";
}
