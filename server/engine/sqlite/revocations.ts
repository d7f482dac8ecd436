/** Revocations of tokens and users. */
import type { DatabaseSync } from "node:sqlite";
import type { EndedWithUser, RevocationQuestion } from "#server/engine/contract.ts";
import {
  REVOKED_USER_KEPT_MS,
  type RevocationAnswer,
  type RevokedToken,
  type RevokedUser,
  tooManyRevokedTokens,
  tooManyRevokedUsers,
} from "#server/engine/revocation-store.ts";
import type { TransferRevocation } from "#server/engine/transfer.ts";
import { MAX_REVOKED_TOKENS, MAX_REVOKED_USERS } from "#shared/limits.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { Outbox } from "./outbox.ts";
import type { ShareLinks } from "./share-links.ts";
import type { SignIns } from "./sign-ins.ts";

export interface Revocations {
  revokeToken(token: RevokedToken, at: Date): void;
  revokeUser(user: RevokedUser, at: Date): EndedWithUser;
  find(question: RevocationQuestion): RevocationAnswer;
}

interface Parts {
  db: DatabaseSync;
  apiKeys: Pick<ApiKeys, "revokeOfUser">;
  signIns: Pick<SignIns, "removeOfUser">;
  shareLinks: Pick<ShareLinks, "removeOfToken" | "removeOfUser">;
  outbox: Pick<Outbox, "credentialEnded">;
}

export function createRevocations({
  db,
  apiKeys,
  signIns,
  shareLinks,
  outbox,
}: Parts): Revocations {
  const token = db.prepare("SELECT 1 FROM revoked_tokens WHERE tenant = ? AND hash = ?");
  const dropExpired = db.prepare("DELETE FROM revoked_tokens WHERE tenant = ? AND ends <= ?");
  const countTokens = db.prepare("SELECT count(*) AS count FROM revoked_tokens WHERE tenant = ?");
  const putToken = db.prepare(
    `INSERT INTO revoked_tokens (tenant, hash, ends) VALUES (?, ?, ?)
     ON CONFLICT (tenant, hash) DO UPDATE SET ends = max(ends, excluded.ends)`,
  );
  const moment = db.prepare("SELECT moment FROM revoked_users WHERE tenant = ? AND user = ?");
  const countUsers = db.prepare("SELECT count(*) AS count FROM revoked_users WHERE tenant = ?");
  const dropOldest = db.prepare(
    `DELETE FROM revoked_users WHERE (tenant, user) IN (
       SELECT tenant, user FROM revoked_users WHERE tenant = ? AND moment <= ? ORDER BY moment LIMIT 1)`,
  );
  const putUser = db.prepare(
    `INSERT INTO revoked_users (tenant, user, moment) VALUES (?, ?, ?)
     ON CONFLICT (tenant, user) DO UPDATE SET moment = max(moment, excluded.moment)`,
  );

  function momentOf(tenant: string, user: string): number | undefined {
    return (moment.get(tenant, user) as { moment: number } | undefined)?.moment;
  }

  return {
    revokeToken({ tenant, hash, until }, at) {
      dropExpired.run(tenant, at.getTime());
      if (token.get(tenant, hash) === undefined) {
        const { count } = countTokens.get(tenant) as { count: number };
        if (count >= MAX_REVOKED_TOKENS) throw tooManyRevokedTokens(tenant);
      }
      putToken.run(tenant, hash, until.getTime());
      shareLinks.removeOfToken(tenant, hash);
      outbox.credentialEnded({ kind: "token", tenant, hash });
    },
    revokeUser({ tenant, user, before }, at) {
      if (momentOf(tenant, user) === undefined) {
        const { count } = countUsers.get(tenant) as { count: number };
        const isFull = count >= MAX_REVOKED_USERS;
        const longAgo = at.getTime() - REVOKED_USER_KEPT_MS;
        if (isFull && dropOldest.run(tenant, longAgo).changes === 0) {
          throw tooManyRevokedUsers(tenant);
        }
      }
      putUser.run(tenant, user, before.getTime());
      shareLinks.removeOfUser(tenant, user);
      outbox.credentialEnded({ kind: "user", tenant, user });
      return {
        apiKeys: apiKeys.revokeOfUser(tenant, user, at),
        signIns: signIns.removeOfUser(tenant, user),
      };
    },
    find: ({ tenant, user, tokenHash }) => ({
      isTokenRevoked: tokenHash !== undefined && token.get(tenant, tokenHash) !== undefined,
      before: momentOf(tenant, user) ?? 0,
    }),
  };
}

export function* readRevocations(db: DatabaseSync): Iterable<TransferRevocation> {
  const tokens = db
    .prepare("SELECT tenant, hash, ends FROM revoked_tokens ORDER BY tenant, hash")
    .iterate() as unknown as Iterable<{ tenant: string; hash: string; ends: number }>;
  for (const { tenant, hash, ends } of tokens) yield { tenant, hash, until: new Date(ends) };
  const users = db
    .prepare("SELECT tenant, user, moment FROM revoked_users ORDER BY tenant, user")
    .iterate() as unknown as Iterable<{ tenant: string; user: string; moment: number }>;
  for (const { tenant, user, moment } of users) yield { tenant, user, before: new Date(moment) };
}
