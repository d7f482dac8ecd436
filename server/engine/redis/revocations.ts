/**
 * Revocations of tokens and users. They lie in the slot of the API keys, so that the revocation of a user and of the user's
 * keys is one step. Each tenant has a sorted set of tokens by their ends, and one of users by the moment of the revocation.
 */
import type { RevocationQuestion } from "#server/engine/contract.ts";
import {
  REVOKED_USER_KEPT_MS,
  type RevocationAnswer,
  type RevokedToken,
  type RevokedUser,
  tooManyRevokedTokens,
  tooManyRevokedUsers,
} from "#server/engine/revocation-store.ts";
import type { TransferRevocation } from "#server/engine/transfer.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { MAX_REVOKED_TOKENS, MAX_REVOKED_USERS } from "#shared/limits.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export interface Revocations {
  revokeToken(token: RevokedToken, at: Date): Promise<void>;
  /** Returns the number of the user's API keys that it revoked. */
  revokeUser(user: RevokedUser, at: Date): Promise<number>;
  find(questions: readonly RevocationQuestion[]): Promise<RevocationAnswer[]>;
}

/** A script of so many questions holds up Redis for about a millisecond. */
const QUESTIONS_PER_CALL = 1000;

const hintOf = (hint: CredentialHint) => JSON.stringify(hint);

export function createRevocations(run: RunScript, { apiKeys: prefix }: Keys): Revocations {
  async function findSome(questions: readonly RevocationQuestion[]): Promise<RevocationAnswer[]> {
    const args = questions.flatMap(({ tenant, user, tokenHash = "" }) => [
      encodeURIComponent(tenant),
      user,
      tokenHash,
    ]);
    const flat = await run<(string | number)[]>("find-revocations", prefix, args);
    return questions.map((_, index) => ({
      isTokenRevoked: flat[2 * index] === 1,
      before: Number(flat[2 * index + 1]),
    }));
  }

  return {
    async revokeToken({ tenant, hash, until }, at) {
      const stored = await run<number>(
        "revoke-token",
        prefix,
        encodeURIComponent(tenant),
        hash,
        until.getTime(),
        at.getTime(),
        MAX_REVOKED_TOKENS,
        hintOf({ kind: "token", tenant, hash }),
      );
      if (stored === 0) throw tooManyRevokedTokens(tenant);
    },
    async revokeUser({ tenant, user, before }, at) {
      const revoked = await run<number>(
        "revoke-user",
        prefix,
        encodeURIComponent(tenant),
        user,
        before.getTime(),
        at.getTime(),
        MAX_REVOKED_USERS,
        REVOKED_USER_KEPT_MS,
        hintOf({ kind: "user", tenant, user }),
      );
      if (revoked === -1) throw tooManyRevokedUsers(tenant);
      return revoked;
    },
    async find(questions) {
      const answers: RevocationAnswer[] = [];
      for (let at = 0; at < questions.length; at += QUESTIONS_PER_CALL) {
        answers.push(...(await findSome(questions.slice(at, at + QUESTIONS_PER_CALL))));
      }
      return answers;
    },
  };
}

/** Exists once any tenant had a revocation. */
const markOf = (prefix: string) => `${prefix}:has-revocations`;

export async function hasRevocations(redis: Client, { apiKeys }: Keys): Promise<boolean> {
  return (await redis.exists(markOf(apiKeys))) === 1;
}

/** The commands that store a revocation of another engine. */
export function putRevocation(
  redis: Client,
  { apiKeys: prefix }: Keys,
  revocation: TransferRevocation,
): Promise<unknown>[] {
  const tenant = encodeURIComponent(revocation.tenant);
  const put =
    "hash" in revocation
      ? redis.zadd(
          `${prefix}:revoked-tokens:${tenant}`,
          revocation.until.getTime(),
          revocation.hash,
        )
      : redis.zadd(
          `${prefix}:revoked-users:${tenant}`,
          revocation.before.getTime(),
          revocation.user,
        );
  return [redis.set(markOf(prefix), 1), put];
}
