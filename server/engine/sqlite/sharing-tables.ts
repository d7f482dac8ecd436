/** The tables of signing keys, share links and opened tickets. */
export const SHARING_TABLES = `
  CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    ends INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX signing_keys_by_end ON signing_keys (ends);

  CREATE TABLE share_links (
    tenant TEXT NOT NULL,
    -- job:<id> or batch:<id>
    stream TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Its maker.
    user TEXT NOT NULL,
    -- SHA-256 of the jti of its maker's token.
    token_hash TEXT,
    ends INTEGER NOT NULL,
    -- All of it, as JSON.
    record TEXT NOT NULL,
    PRIMARY KEY (tenant, stream, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX share_links_by_end ON share_links (tenant, ends);

  CREATE TABLE tickets (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The connection that holds it.
    holder TEXT NOT NULL,
    ends INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tickets_by_end ON tickets (tenant, user, ends);
  `;
