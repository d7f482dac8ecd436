/**
 * The part of an engine that stores revocations of tokens and users, which the server does not store otherwise, and that
 * tells of credentials that ended. Its methods reject as those of the engine do (`contract.ts`).
 */
import { AppError } from "#shared/errors.ts";
import { MAX_REVOKED_TOKENS, MAX_REVOKED_USERS } from "#shared/limits.ts";

/** How long a revoked user makes no room for another one: longer than any sign-in lives, and than tokens should. */
export const REVOKED_USER_KEPT_MS = 400 * 86_400_000;

export interface RevokedToken {
  tenant: string;
  /** SHA-256 of its `jti`, as hexadecimal digits. */
  hash: string;
  /** When it has certainly expired, so that the revocation may be forgotten. */
  until: Date;
}

export interface RevokedUser {
  tenant: string;
  user: string;
  /** Tokens that were issued before this moment have ended. */
  before: Date;
}

/** A token, or the token of a sign-in. Times are milliseconds since the epoch. */
export interface RevocationQuestion {
  tenant: string;
  user: string;
  /** Absent: the token has no `jti`. */
  tokenHash?: string | undefined;
}

export interface RevocationAnswer {
  isTokenRevoked: boolean;
  /** What the user was issued before this moment has ended. 0: nothing. */
  before: number;
}

export interface RevocationStore {
  /**
   * Of a tenant with `MAX_REVOKED_TOKENS` those that have expired at `at` make room; when there is none, rejects with
   * `BAD_REQUEST`. The later `until` of two revocations of a token counts.
   */
  revokeToken(token: RevokedToken, at: Date): Promise<void>;
  /**
   * Together with this it revokes the API keys of the user, and deletes the sign-ins. Of a tenant with `MAX_REVOKED_USERS` the
   * user that was revoked the longest ago makes room, after `REVOKED_USER_KEPT_MS`; when there is none, rejects with
   * `BAD_REQUEST`. The later moment of two revocations of a user counts.
   */
  revokeUser(user: RevokedUser, at: Date): Promise<EndedWithUser>;
  /** Answers in the order of the questions, of any number of them. */
  find(questions: readonly RevocationQuestion[]): Promise<RevocationAnswer[]>;
}

/** The number of each that the revocation ended. */
export interface EndedWithUser {
  apiKeys: number;
  signIns: number;
}

export function tooManyRevokedTokens(tenant: string): AppError {
  return new AppError(
    "BAD_REQUEST",
    `Tenant ${JSON.stringify(tenant)} has ${MAX_REVOKED_TOKENS} revoked tokens that have not expired, the limit (MAX_REVOKED_TOKENS). Revoke their user instead.`,
  );
}

export function tooManyRevokedUsers(tenant: string): AppError {
  return new AppError(
    "BAD_REQUEST",
    `Tenant ${JSON.stringify(tenant)} has ${MAX_REVOKED_USERS} revoked users, the limit (MAX_REVOKED_USERS). To end all tokens at once, change the secret or the key that signs them.`,
  );
}
