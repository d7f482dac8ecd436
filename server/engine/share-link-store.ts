/**
 * The part of an engine that keeps share links. One that is removed, or that has ended, does not count. Those of a token, a user
 * and an API key are removed with the revocation. Its methods reject as those of the engine do (`contract.ts`).
 */
import { AppError } from "#shared/errors.ts";
import { MAX_STREAM_LINKS, MAX_TENANT_LINKS } from "#shared/limits.ts";
import type { ShareLink, ShareLinkRef } from "#shared/share.ts";

export interface StoredLink {
  link: ShareLink;
  /** SHA-256 of the `jti` of its maker's token, as hexadecimal digits; `null` if it has none, or an API key made the link. */
  tokenHash: string | null;
}

export interface ShareLinkStore {
  /** Rejects with `BAD_REQUEST` beyond `MAX_STREAM_LINKS` of a stream, or `MAX_TENANT_LINKS` of a tenant. */
  add(stored: StoredLink, at: Date): Promise<void>;
  /** In the order of the refs; `undefined` for a link that does not count. */
  find(refs: readonly ShareLinkRef[], at: Date): Promise<(ShareLink | undefined)[]>;
  /** Newest first. */
  list(of: Pick<ShareLinkRef, "tenant" | "stream">, at: Date): Promise<ShareLink[]>;
  /** Without `id` all of the stream. Returns the number of those that counted. */
  remove(
    of: Pick<ShareLinkRef, "tenant" | "stream"> & { id?: string | undefined },
    at: Date,
  ): Promise<number>;
}

export function tooManyLinks(stream: string): AppError {
  return new AppError(
    "BAD_REQUEST",
    `${stream.replace(":", " ")} has ${MAX_STREAM_LINKS} share links, the limit (MAX_STREAM_LINKS). Switch one off.`,
  );
}

export function tooManyLinksOfTenant(tenant: string): AppError {
  return new AppError(
    "BAD_REQUEST",
    `Tenant ${JSON.stringify(tenant)} has ${MAX_TENANT_LINKS} share links, the limit (MAX_TENANT_LINKS). Switch some off.`,
  );
}
