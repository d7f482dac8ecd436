/**
 * Share links. They lie in the slot of the API keys, so that the revocation of a token or a user and of the links that it made
 * is one step. Each tenant has a sorted set of them by their ends, and a hash of their records, both by `<stream>:<id>`.
 */
import {
  type ShareLinkStore,
  type StoredLink,
  tooManyLinks,
  tooManyLinksOfTenant,
} from "#server/engine/share-link-store.ts";
import { MAX_STREAM_LINKS, MAX_TENANT_LINKS } from "#shared/limits.ts";
import { ShareLinkSchema } from "#shared/share.schema.ts";
import type { ShareLink, ShareLinkRef } from "#shared/share.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

/** A script of so many links holds up Redis for less than a millisecond. */
const LINKS_PER_CALL = 500;

export function createShareLinks(run: RunScript, { apiKeys: prefix }: Keys): ShareLinkStore {
  async function findSome(refs: readonly ShareLinkRef[], at: Date) {
    const names = refs.flatMap((ref) => [encodeURIComponent(ref.tenant), nameOf(ref)]);
    const found = await run<string[]>("find-share-links", prefix, at.getTime(), names);
    return found.map((record) => (record === "" ? undefined : decode(record)));
  }

  return {
    async add(stored, at) {
      const { link } = stored;
      const added = await run<number>(
        "add-share-link",
        prefix,
        encodeURIComponent(link.tenant),
        link.stream,
        link.id,
        encode(stored),
        link.expiresAt.getTime(),
        at.getTime(),
        MAX_STREAM_LINKS,
        MAX_TENANT_LINKS,
      );
      if (added === -1) throw tooManyLinks(link.stream);
      if (added === -2) throw tooManyLinksOfTenant(link.tenant);
    },
    async find(refs, at) {
      const links: (ShareLink | undefined)[] = [];
      for (let from = 0; from < refs.length; from += LINKS_PER_CALL) {
        links.push(...(await findSome(refs.slice(from, from + LINKS_PER_CALL), at)));
      }
      return links;
    },
    async list({ tenant, stream }, at) {
      const args = [encodeURIComponent(tenant), stream, at.getTime()];
      const links = (await run<string[]>("list-share-links", prefix, ...args)).map(decode);
      return links.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    },
    remove: ({ tenant, stream, id = "" }, at) =>
      run<number>(
        "remove-share-links",
        prefix,
        encodeURIComponent(tenant),
        stream,
        id,
        at.getTime(),
      ),
  };
}

const nameOf = ({ stream, id }: Pick<ShareLinkRef, "stream" | "id">) => `${stream}:${id}`;

/** `user` and `tokenHash` are for the scripts of revocations. */
function encode({ link, tokenHash }: StoredLink): string {
  return JSON.stringify({ user: link.maker.user, tokenHash: tokenHash ?? "", link });
}

function decode(record: string): ShareLink {
  return ShareLinkSchema.parse((JSON.parse(record) as { link: unknown }).link);
}

/** Exists once any tenant had a share link. */
const markOf = (prefix: string) => `${prefix}:has-share-links`;

export async function hasShareLinks(redis: Client, { apiKeys }: Keys): Promise<boolean> {
  return (await redis.exists(markOf(apiKeys))) === 1;
}

/** The commands that store a link of another engine. */
export function putShareLink(
  redis: Client,
  { apiKeys: prefix }: Keys,
  stored: StoredLink,
): Promise<unknown>[] {
  const { link } = stored;
  const tenant = encodeURIComponent(link.tenant);
  return [
    redis.set(markOf(prefix), 1),
    redis.zadd(`${prefix}:share-links:${tenant}`, link.expiresAt.getTime(), nameOf(link)),
    redis.hset(`${prefix}:share-link-records:${tenant}`, nameOf(link), encode(stored)),
  ];
}
