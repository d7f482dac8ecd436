/** Lets others watch a job or a batch: by a stream token, or by a share link that can be switched off. */
import { v4 as randomId } from "uuid";
import type { Engine } from "#server/engine/contract.ts";
import type { ActorVia } from "#shared/actor.ts";
import { stateOf } from "#shared/api-key.ts";
import { auditActorOf } from "#shared/audit.ts";
import type { CheckedCaller, CredentialRef, Maker } from "#shared/checked-caller.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_SHARE_LINK_SECONDS, MAX_STREAM_TOKEN_SECONDS } from "#shared/limits.ts";
import { mayChange, mayRead, type Principal } from "#shared/principal.ts";
import type { Share, ShareAsked, SharedLink } from "#shared/share.ts";
import type { Audit } from "./audit.ts";
import { issuedTokenOf } from "./issued-token.ts";
import type { RevocationCheck } from "./revocation-check.ts";
import type { StreamClaims } from "./stream-tokens.ts";
import { hashOfTokenId } from "./token-hash.ts";
import { STREAM_TOKEN, type TokenSigner } from "./token-signer.ts";

const TOKEN_SECONDS = 15 * 60;
const LINK_SECONDS = 7 * 86_400;

export interface SharedStream {
  stream: "job" | "batch";
  id: string;
}

/** The caller that shares, with the credential of its request. */
export interface Sharer extends Pick<CheckedCaller, "credential" | "signInId" | "maker"> {
  readonly principal: Principal;
  readonly via: ActorVia;
  readonly expiresAt: number | undefined;
}

/**
 * All reject with `NOT_FOUND` for a job or batch that the caller may not read, and with `FORBIDDEN` where it may not share it:
 * links are made, listed and switched off by the owner, and by others with the scope `tenant`.
 */
export interface Shares {
  /** Rejects with `BAD_REQUEST` for a life that is too long, and for a stream or tenant with too many links. */
  share(sharer: Sharer, what: SharedStream, asked: ShareAsked): Promise<Share>;
  /** Newest first, without their tokens. */
  list(sharer: Sharer, what: SharedStream): Promise<SharedLink[]>;
  /** Without `linkId` all links of the stream. Returns their number. */
  unshare(sharer: Sharer, what: SharedStream, linkId: string | undefined): Promise<number>;
}

interface SharesOptions {
  engine: Pick<Engine, "apiKeys" | "getSummary" | "getBatch" | "shareLinks">;
  signer: Pick<TokenSigner, "sign">;
  revocations: Pick<RevocationCheck, "areRevoked">;
  audit: Pick<Audit, "record">;
  now: () => Date;
}

export function createShares({ engine, signer, revocations, audit, now }: SharesOptions): Shares {
  const { shareLinks: links } = engine;

  async function recordFor({ principal, maker }: Sharer, { stream, id }: SharedStream) {
    if (maker !== undefined) throw new AppError("FORBIDDEN", "What is shared cannot be shared on.");
    const record = stream === "job" ? await engine.getSummary(id) : await engine.getBatch(id);
    if (record !== undefined && mayRead(principal, stream, record)) return record;
    const name = stream === "job" ? "Job" : "Batch";
    throw new AppError("NOT_FOUND", `${name} ${id} does not exist.`);
  }

  async function assertManages(sharer: Sharer, what: SharedStream): Promise<void> {
    if (mayChange(sharer.principal, await recordFor(sharer, what))) return;
    throw new AppError(
      "FORBIDDEN",
      `Only the owner of the ${what.stream}, and callers with the scope tenant, make links to it and switch them off.`,
    );
  }

  function sign(claims: StreamClaims, id: string, expiresAt: number): Promise<string> {
    return signer.sign(STREAM_TOKEN, { ...claims, jti: id }, expiresAt);
  }

  async function makeToken(
    sharer: Sharer,
    what: SharedStream,
    { expiresIn = TOKEN_SECONDS, viewer }: ShareAsked,
  ): Promise<Share> {
    assertLife(expiresIn, MAX_STREAM_TOKEN_SECONDS, "stream token");
    await recordFor(sharer, what);
    const maker = makerOf(sharer);
    const id = randomId();
    const expiresAt = endIn(expiresIn, sharer);
    const claims: StreamClaims = {
      sub: `viewer:${viewer ?? id}`,
      tenant: sharer.principal.tenantId,
      stream: nameOf(what),
      by: { kind: "maker", maker },
    };
    const token = await sign(claims, id, expiresAt);
    return { token, expiresAt: new Date(expiresAt * 1000), linkId: null };
  }

  async function makeLink(
    sharer: Sharer,
    what: SharedStream,
    { expiresIn = LINK_SECONDS, viewer }: ShareAsked,
  ): Promise<Share> {
    if (viewer !== undefined) {
      throw new AppError("BAD_REQUEST", "A link has no viewer of its own: leave `viewer` out.");
    }
    assertLife(expiresIn, MAX_SHARE_LINK_SECONDS, "share link");
    await assertManages(sharer, what);
    const { user, credential } = makerOf(sharer);
    const { tenantId: tenant } = sharer.principal;
    const [id, at, end] = [randomId(), now(), endIn(expiresIn, sharer)];
    const [stream, expiresAt] = [nameOf(what), new Date(end * 1000)];
    // A link outlives the sign-in: people sign out, and the link that they sent stays good.
    const maker = { user, credential };
    const claims: StreamClaims = { sub: `link:${id}`, tenant, stream, by: { kind: "link", id } };
    const token = await sign(claims, id, end);
    const link = { id, tenant, stream, maker, createdAt: at, expiresAt };
    await links.add({ link, tokenHash: tokenHashOf(credential) }, at);
    await assertStillGood(sharer, { tenant, stream, id });
    await record(sharer, what, "share");
    return { token, expiresAt, linkId: id };
  }

  /** The maker may have been revoked before the link was stored, and the revocation has not removed it then. */
  async function assertStillGood(
    sharer: Sharer,
    ref: { tenant: string; stream: string; id: string },
  ): Promise<void> {
    if (!(await hasEnded(sharer))) return;
    await links.remove(ref, now());
    const name = sharer.credential?.kind === "key" ? "API key" : "token";
    throw new AppError("UNAUTHENTICATED", `This ${name} is not valid.`);
  }

  async function hasEnded({ principal, credential }: Sharer): Promise<boolean> {
    const issued = issuedTokenOf({ principal, credential });
    if (issued !== undefined) return (await revocations.areRevoked([issued]))[0] === true;
    const { keyHash } = credential ?? {};
    const key = keyHash === undefined ? undefined : await engine.apiKeys.find(keyHash);
    return key === undefined || stateOf(key, now()) !== "valid";
  }

  /** Links alone have entries: stream tokens leave nothing behind, and are so many that they would push out all others. */
  async function record(
    { principal, via, credential }: Sharer,
    { stream, id }: SharedStream,
    done: "share" | "unshare",
  ): Promise<void> {
    const actor = auditActorOf({ ...principal, via, credential });
    await audit.record(principal.tenantId, { action: `${stream}.${done}`, target: id, actor });
  }

  /** In seconds since the epoch. Nothing that an API key shares outlives the key. */
  function endIn(seconds: number, { credential, expiresAt = Infinity }: Sharer): number {
    const end = Math.floor(now().getTime() / 1000) + seconds;
    return credential?.kind === "key" ? Math.min(end, Math.floor(expiresAt / 1000)) : end;
  }

  return {
    share: (sharer, what, asked) =>
      asked.link ? makeLink(sharer, what, asked) : makeToken(sharer, what, asked),
    async list(sharer, what) {
      await assertManages(sharer, what);
      const { tenantId: tenant } = sharer.principal;
      const found = await links.list({ tenant, stream: nameOf(what) }, now());
      return found.map(({ id, maker, createdAt, expiresAt }) => ({
        linkId: id,
        createdBy: maker.user,
        createdAt,
        expiresAt,
      }));
    },
    async unshare(sharer, what, linkId) {
      await assertManages(sharer, what);
      const { tenantId: tenant } = sharer.principal;
      const removed = await links.remove({ tenant, stream: nameOf(what), id: linkId }, now());
      if (removed > 0) await record(sharer, what, "unshare");
      return removed;
    },
  };
}

const nameOf = ({ stream, id }: SharedStream) => `${stream}:${id}`;

function makerOf({ principal, credential, signInId }: Sharer): Maker {
  if (credential === undefined) throw new AppError("INTERNAL", "A caller has no credential.");
  const { userId: user } = principal;
  return { user, credential, ...(signInId !== undefined && { signInId }) };
}

function tokenHashOf({ kind, id }: CredentialRef): string | null {
  return kind === "token" && id !== null ? hashOfTokenId(id) : null;
}

function assertLife(seconds: number, most: number, what: string): void {
  if (seconds <= most) return;
  throw new AppError(
    "BAD_REQUEST",
    `A ${what} lives for at most ${most} seconds; expiresIn is ${seconds}.`,
  );
}
