/** The tables of sessions: the subscriptions of clients that come back. */
export const SESSION_TABLES = `
  CREATE TABLE sessions (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The connection that may save it.
    holder TEXT NOT NULL,
    ends INTEGER NOT NULL,
    UNIQUE (tenant, owner, id)
  ) STRICT;
  CREATE INDEX sessions_by_end ON sessions (ends);
  CREATE INDEX sessions_of_tenant ON sessions (tenant, ends);

  -- How many each tenant has: counting them would cost more than all else of making one.
  CREATE TABLE session_counts (
    tenant TEXT PRIMARY KEY,
    count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER session_made AFTER INSERT ON sessions BEGIN
    INSERT INTO session_counts (tenant, count) VALUES (new.tenant, 1)
      ON CONFLICT (tenant) DO UPDATE SET count = count + 1;
  END;
  CREATE TRIGGER session_gone AFTER DELETE ON sessions BEGIN
    UPDATE session_counts SET count = count - 1 WHERE tenant = old.tenant;
    DELETE FROM session_counts WHERE tenant = old.tenant AND count = 0;
  END;

  CREATE TABLE session_entries (
    session_n INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (session_n, name)
  ) STRICT, WITHOUT ROWID;
  `;
