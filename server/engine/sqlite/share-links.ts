/** Share links. */
import type { DatabaseSync } from "node:sqlite";
import {
  type StoredLink,
  tooManyLinks,
  tooManyLinksOfTenant,
} from "#server/engine/share-link-store.ts";
import { MAX_STREAM_LINKS, MAX_TENANT_LINKS } from "#shared/limits.ts";
import { ShareLinkSchema } from "#shared/share.schema.ts";
import type { ShareLink, ShareLinkRef } from "#shared/share.ts";
import type { Outbox } from "./outbox.ts";

type OfStream = Pick<ShareLinkRef, "tenant" | "stream">;

export interface ShareLinks {
  add(stored: StoredLink, at: Date): void;
  find(ref: ShareLinkRef, at: Date): ShareLink | undefined;
  list(of: OfStream, at: Date): ShareLink[];
  remove(of: OfStream & { id?: string | undefined }, at: Date): number;
  removeOfToken(tenant: string, tokenHash: string): void;
  removeOfUser(tenant: string, user: string): void;
  removeOfKey(tenant: string, keyHash: string): void;
}

type Row = { record: string };

export function createShareLinks(
  db: DatabaseSync,
  outbox: Pick<Outbox, "credentialEnded">,
): ShareLinks {
  const dropEnded = db.prepare("DELETE FROM share_links WHERE tenant = ? AND ends <= ?");
  const countOfTenant = db.prepare("SELECT count(*) AS count FROM share_links WHERE tenant = ?");
  const countOfStream = db.prepare(
    "SELECT count(*) AS count FROM share_links WHERE tenant = ? AND stream = ?",
  );
  const insert = db.prepare(
    "INSERT INTO share_links (tenant, stream, id, user, token_hash, ends, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const find = db.prepare(
    "SELECT record FROM share_links WHERE tenant = ? AND stream = ? AND id = ? AND ends > ?",
  );
  const ofStream = db.prepare(
    "SELECT record FROM share_links WHERE tenant = ? AND stream = ? AND ends > ?",
  );
  const drop = db.prepare(
    "DELETE FROM share_links WHERE tenant = ? AND stream = ? AND id = coalesce(?, id) RETURNING id, ends",
  );
  const dropOfToken = db.prepare("DELETE FROM share_links WHERE tenant = ? AND token_hash = ?");
  const dropOfUser = db.prepare("DELETE FROM share_links WHERE tenant = ? AND user = ?");
  const dropOfKey = db.prepare(
    "DELETE FROM share_links WHERE tenant = ? AND json_extract(record, '$.maker.credential.keyHash') = ?",
  );

  return {
    add({ link, tokenHash }, at) {
      const { tenant, stream, id, maker, expiresAt } = link;
      dropEnded.run(tenant, at.getTime());
      const all = countOfTenant.get(tenant) as { count: number };
      if (all.count >= MAX_TENANT_LINKS) throw tooManyLinksOfTenant(tenant);
      const some = countOfStream.get(tenant, stream) as { count: number };
      if (some.count >= MAX_STREAM_LINKS) throw tooManyLinks(stream);
      const record = JSON.stringify(link);
      insert.run(tenant, stream, id, maker.user, tokenHash, expiresAt.getTime(), record);
    },
    find({ tenant, stream, id }, at) {
      const row = find.get(tenant, stream, id, at.getTime()) as Row | undefined;
      return row && ShareLinkSchema.parse(JSON.parse(row.record));
    },
    list({ tenant, stream }, at) {
      const rows = ofStream.all(tenant, stream, at.getTime()) as Row[];
      return newestFirst(rows.map(({ record }) => ShareLinkSchema.parse(JSON.parse(record))));
    },
    remove({ tenant, stream, id }, at) {
      const dropped = drop.all(tenant, stream, id ?? null) as { id: string; ends: number }[];
      for (const each of dropped) outbox.credentialEnded({ kind: "link", id: each.id });
      return dropped.filter(({ ends }) => ends > at.getTime()).length;
    },
    removeOfToken: (tenant, tokenHash) => void dropOfToken.run(tenant, tokenHash),
    removeOfUser: (tenant, user) => void dropOfUser.run(tenant, user),
    removeOfKey: (tenant, keyHash) => void dropOfKey.run(tenant, keyHash),
  };
}

function newestFirst(links: ShareLink[]): ShareLink[] {
  return links.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

export function* readShareLinks(db: DatabaseSync): Iterable<StoredLink> {
  const rows = db
    .prepare("SELECT token_hash, record FROM share_links ORDER BY tenant, stream, id")
    .iterate() as unknown as Iterable<{ token_hash: string | null; record: string }>;
  for (const { token_hash: tokenHash, record } of rows) {
    yield { link: ShareLinkSchema.parse(JSON.parse(record)), tokenHash };
  }
}
