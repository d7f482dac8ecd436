CREATE TABLE owners (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- The feed cursor of the newest change of any of its jobs.
    rev INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, owner)
  ) STRICT;
CREATE TABLE batches (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner_n INTEGER NOT NULL REFERENCES owners,
    name TEXT,
    pending INTEGER NOT NULL,
    processing INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    blocked INTEGER NOT NULL,
    aborted INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    idempotency_key TEXT
  ) STRICT;
CREATE INDEX batches_of_owner ON batches (owner_n);
CREATE UNIQUE INDEX batches_idempotency ON batches (owner_n, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE TABLE jobs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner_n INTEGER NOT NULL REFERENCES owners,
    batch_n INTEGER REFERENCES batches,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    progress INTEGER NOT NULL,
    message TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    error_code TEXT,
    error_message TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    version INTEGER NOT NULL,
    -- The owner's rev at the newest change.
    rev INTEGER NOT NULL,
    -- The queue. When the next claim may take the job: 0 is at once; else the end of its delay, or of the lease
    -- while it is held. NULL: it is not queued.
    due INTEGER,
    held INTEGER NOT NULL DEFAULT 0,
    -- Counts claims; the newest one's proof.
    token INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT
  ) STRICT;
CREATE INDEX jobs_of_owner ON jobs (owner_n);
CREATE INDEX jobs_by_status ON jobs (owner_n, status);
CREATE INDEX jobs_by_kind ON jobs (owner_n, kind);
CREATE INDEX jobs_by_kind_and_status ON jobs (owner_n, kind, status);
CREATE INDEX jobs_of_batch ON jobs (batch_n) WHERE batch_n IS NOT NULL;
CREATE UNIQUE INDEX jobs_feed ON jobs (owner_n, rev);
CREATE INDEX jobs_due ON jobs (due) WHERE due IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner_n, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE TABLE payloads (
    job_n INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    input TEXT NOT NULL,
    output TEXT NOT NULL
  ) STRICT;
CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    job_n INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    type TEXT NOT NULL,
    progress INTEGER NOT NULL,
    message TEXT NOT NULL,
    UNIQUE (job_n, seq)
  ) STRICT;
CREATE TABLE drafts (
    job_n INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    -- UTF-16 units before this piece, and with it.
    start_unit INTEGER NOT NULL,
    end_unit INTEGER NOT NULL,
    -- JSON, because half a surrogate pair is no UTF-8.
    text TEXT NOT NULL,
    UNIQUE (job_n, seq)
  ) STRICT;
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
CREATE TABLE api_keys (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    -- SHA-256 of the key, which is stored nowhere.
    hash TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    -- A list, as JSON.
    scopes TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
  ) STRICT;
CREATE INDEX api_keys_of_tenant ON api_keys (tenant);
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    ends INTEGER NOT NULL,
    -- All of it, as JSON.
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_by_end ON sign_ins (ends);
CREATE INDEX sign_ins_of_user ON sign_ins (tenant, owner, ends);
INSERT INTO owners VALUES (1, 'acme', 'ann', 8);
INSERT INTO batches VALUES (1, '0198c5a0-0000-7000-8000-000000000009', 1, 'January', 1, 0, 0, 0, 1, 2, 1767225605000, 1767225606000, NULL);
INSERT INTO sqlite_sequence VALUES ('jobs', 3);
INSERT INTO sqlite_sequence VALUES ('batches', 1);
INSERT INTO jobs VALUES (1, '0198c5a0-0000-7000-8000-000000000001', 1, NULL, 'article', 'Article 1', 'DELIVERED', 100, 'Approved: fine', 1, 0, NULL, NULL, 1767225600000, 1767225601000, 1767225604000, 5, 5, NULL, 0, 1, 'k');
INSERT INTO jobs VALUES (2, '0198c5a0-0000-7000-8000-000000000002', 1, 1, 'article', 'Article 2', 'ABORTED', 0, 'Cancelled', 0, 0, 'CANCELLED', 'Cancelled', 1767225605000, NULL, 1767225606000, 2, 8, NULL, 0, 0, NULL);
INSERT INTO jobs VALUES (3, '0198c5a0-0000-7000-8000-000000000003', 1, 1, 'article', 'Article 3', 'PENDING', 0, 'Job created and queued for processing', 0, 0, NULL, NULL, 1767225605000, NULL, NULL, 1, 7, 0, 0, 0, NULL);
INSERT INTO payloads VALUES (1, '{"n":1}', '{"ok":false}');
INSERT INTO payloads VALUES (2, '{"n":2}', 'null');
INSERT INTO payloads VALUES (3, '{"n":3}', 'null');
INSERT INTO events VALUES (1, 1, 1, 1767225600000, 0, 'created', 0, 'Job created and queued for processing');
INSERT INTO events VALUES (2, 1, 2, 1767225601000, 1, 'started', 10, 'Started');
INSERT INTO events VALUES (3, 1, 3, 1767225602000, 1, 'progress', 50, 'Half way');
INSERT INTO events VALUES (4, 1, 4, 1767225603000, 1, 'blocked', 50, 'Too short');
INSERT INTO events VALUES (5, 1, 5, 1767225604000, 1, 'approved', 100, 'Approved: fine');
INSERT INTO events VALUES (6, 2, 1, 1767225605000, 0, 'created', 0, 'Job created and queued for processing');
INSERT INTO events VALUES (7, 3, 1, 1767225605000, 0, 'created', 0, 'Job created and queued for processing');
INSERT INTO events VALUES (8, 2, 2, 1767225606000, 0, 'aborted', 0, 'Cancelled');
PRAGMA application_id = 1248813655;
PRAGMA user_version = 4;
