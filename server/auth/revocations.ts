/** Revokes tokens and users: what the command and the procedure of admins do. */
import { setTimeout as pause } from "node:timers/promises";
import type { RevocationStore } from "#server/engine/contract.ts";
import type { AuditActor } from "#shared/audit.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_PRINCIPAL_CHARS, MAX_STREAM_TOKEN_SECONDS } from "#shared/limits.ts";
import type { Revoked, TokenToRevoke, ToRevoke, UserToRevoke } from "#shared/revocation.ts";
import type { Audit, RecordedCommand } from "./audit.ts";
import { hashOfTokenId } from "./token-hash.ts";

/** The longest life that a token is believed to have if the revoker does not say when it expires. */
const MAX_TOKEN_LIFE_MS = 400 * 86_400_000;
/** The issuer's clock may differ from ours by some seconds. */
const MARGIN_MS = 60_000;
const SECOND_MS = 1000;

export interface Revocations {
  /**
   * Ends a token, or all that a user was issued, in a tenant. `BAD_REQUEST` for a token that has expired, and for a tenant with
   * too many revocations. What the user is issued after the answer counts. `actor`: who revokes, for the audit list.
   */
  revoke(tenant: string, what: ToRevoke, actor: AuditActor): Promise<Revoked>;
}

interface RevocationsOptions {
  store: Pick<RevocationStore, "revokeToken" | "revokeUser">;
  audit: Pick<Audit, "record">;
  now: () => Date;
  /** Called after each revocation. */
  onRevoked?: ((revoked: Revoked) => void) | undefined;
  wait?: (ms: number) => Promise<unknown>;
}

export function createRevocations({
  store,
  audit,
  now,
  onRevoked,
  wait = pause,
}: RevocationsOptions): Revocations {
  async function revokeToken(
    tenant: string,
    { tokenId, expiresAt }: TokenToRevoke,
  ): Promise<Revoked> {
    const at = now();
    if (expiresAt !== null && expiresAt <= at) {
      const expired = expiresAt.toISOString();
      throw new AppError("BAD_REQUEST", `The token has expired already: ${expired} has passed.`);
    }
    const end = expiresAt?.getTime() ?? at.getTime() + MAX_TOKEN_LIFE_MS;
    // Its stream tokens may outlive it.
    const last = Math.max(end, at.getTime() + MAX_STREAM_TOKEN_SECONDS * SECOND_MS);
    const until = new Date(last + MARGIN_MS);
    await store.revokeToken({ tenant, hash: hashOfTokenId(tokenId), until }, at);
    return { tenant, tokenId, keptUntil: until };
  }

  /**
   * Tokens name the second in which they were issued, so those of this second cannot be told apart: all of them end, and the
   * answer comes when the second is over.
   */
  async function revokeUser(tenant: string, { user }: UserToRevoke): Promise<Revoked> {
    const at = now();
    const before = new Date((Math.floor(at.getTime() / SECOND_MS) + 1) * SECOND_MS);
    const { apiKeys, signIns } = await store.revokeUser({ tenant, user, before }, at);
    await wait(before.getTime() - at.getTime());
    return { tenant, user, before, apiKeys, signIns };
  }

  return {
    async revoke(tenant, what, actor) {
      const revoked =
        "user" in what ? await revokeUser(tenant, what) : await revokeToken(tenant, what);
      onRevoked?.(revoked);
      await audit.record(tenant, { ...auditedAs(what), actor });
      return revoked;
    },
  };
}

function auditedAs(what: ToRevoke): Pick<RecordedCommand, "action" | "target"> {
  if ("user" in what) return { action: "user.revoke", target: what.user };
  // The issuer of a token chooses the length of its `jti`.
  return { action: "token.revoke", target: cutText(what.tokenId, MAX_PRINCIPAL_CHARS) };
}
