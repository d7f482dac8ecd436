/** Revocations, as people ask for them. */

/** A token, by its `jti`. */
export interface TokenToRevoke {
  tokenId: string;
  /** Its `exp`. Absent in a request: it lives for 400 days at most. */
  expiresAt: Date | null;
}

/** Whatever a user was issued up to now. */
export interface UserToRevoke {
  user: string;
}

export type ToRevoke = TokenToRevoke | UserToRevoke;

/** The same as clients send it: a date as JSON has it, or none. */
export type RevokeRequest =
  | { tokenId: string; expiresAt?: Date | string | null | undefined }
  | UserToRevoke;

export interface RevocationRequest {
  tenant: string;
  what: ToRevoke;
}

interface RevokedToken {
  tenant: string;
  tokenId: string;
  /** The revocation may be forgotten after it. */
  keptUntil: Date;
}

interface RevokedUser {
  tenant: string;
  user: string;
  /** Tokens that were issued before this moment have ended. It has passed when the caller is answered. */
  before: Date;
  /** How many were ended. */
  apiKeys: number;
  signIns: number;
}

/** What a revocation has ended. */
export type Revoked = RevokedToken | RevokedUser;
