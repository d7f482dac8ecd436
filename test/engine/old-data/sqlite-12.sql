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
CREATE TABLE audit (
    tenant TEXT NOT NULL,
    -- Counts up in each list.
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    user TEXT NOT NULL,
    via TEXT NOT NULL,
    credential TEXT,
    PRIMARY KEY (tenant, n)
  ) STRICT, WITHOUT ROWID;
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
  , tenant_n INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "batches" VALUES(1,'0198c5a0-0000-7000-8000-000000000099',1,'Batch',3,0,0,0,0,1,1767225600000,1767225600000,NULL,1);
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
CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    job_n INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    type TEXT NOT NULL,
    progress INTEGER NOT NULL,
    message TEXT NOT NULL, actor TEXT, details TEXT,
    UNIQUE (job_n, seq)
  ) STRICT;
INSERT INTO "events" VALUES(1,1,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(2,1,2,1767225600000,1,'started',0,'Begun',NULL,NULL);
INSERT INTO "events" VALUES(3,1,3,1767225600000,1,'progress',50,'Half way',NULL,'{"a":1}');
INSERT INTO "events" VALUES(4,2,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(5,3,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(6,3,2,1767225600000,1,'started',0,'Begun',NULL,NULL);
INSERT INTO "events" VALUES(7,3,3,1767225600000,1,'retrying',0,'Given back',NULL,NULL);
INSERT INTO "events" VALUES(8,4,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(9,4,2,1767225600000,1,'started',0,'Begun',NULL,NULL);
INSERT INTO "events" VALUES(10,4,3,1767225600000,1,'retrying',0,'Given back',NULL,NULL);
INSERT INTO "events" VALUES(11,4,4,1767225600000,2,'started',0,'Begun',NULL,NULL);
INSERT INTO "events" VALUES(12,4,5,1767225600000,2,'retrying',0,'Given back',NULL,NULL);
INSERT INTO "events" VALUES(13,5,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(14,5,2,1767225600000,0,'aborted',0,'Cancelled',NULL,NULL);
INSERT INTO "events" VALUES(15,6,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(16,7,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(17,8,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(18,9,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
INSERT INTO "events" VALUES(19,10,1,1767225600000,0,'created',0,'Job created and queued for processing',NULL,NULL);
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
    -- The rev of the newest change.
    rev INTEGER NOT NULL,
    -- The queue. When the next claim may take the job: 0 is at once; else the end of its delay, or of the lease
    -- while it is held. NULL: it is not queued.
    due INTEGER,
    held INTEGER NOT NULL DEFAULT 0,
    -- Counts claims; the newest one's proof.
    token INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT
  , tenant_n INTEGER NOT NULL DEFAULT 0, details TEXT, trace TEXT) STRICT;
INSERT INTO "jobs" VALUES(1,'0198c5a0-0000-7000-8000-000000000001',1,NULL,'article','Job 1','PROCESSING',50,'Half way',1,0,NULL,NULL,1767225600000,1767225600000,NULL,3,3,1767225630000,1,1,NULL,1,'{"a":1}',NULL);
INSERT INTO "jobs" VALUES(2,'0198c5a0-0000-7000-8000-000000000002',1,NULL,'article','Job 2','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225600000,NULL,NULL,1,4,1767225630000,1,1,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(3,'0198c5a0-0000-7000-8000-000000000003',1,NULL,'article','Job 3','PENDING',0,'Given back',1,1,NULL,NULL,1767225600000,NULL,NULL,3,7,1767225660000,0,1,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(4,'0198c5a0-0000-7000-8000-000000000004',1,NULL,'article','Job 4','PENDING',0,'Given back',2,1,NULL,NULL,1767225600000,NULL,NULL,5,12,0,0,2,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(5,'0198c5a0-0000-7000-8000-000000000005',1,NULL,'article','Job 5','ABORTED',0,'Cancelled',0,0,'CANCELLED','Cancelled',1767225600000,NULL,1767225600000,2,14,NULL,0,0,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(6,'0198c5a0-0000-7000-8000-000000000006',1,1,'article','Job 6','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225600000,NULL,NULL,1,15,0,0,0,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(7,'0198c5a0-0000-7000-8000-000000000007',1,1,'article','Job 7','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225600000,NULL,NULL,1,16,0,0,0,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(8,'0198c5a0-0000-7000-8000-000000000008',1,1,'article','Job 8','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225600000,NULL,NULL,1,17,0,0,0,NULL,1,NULL,NULL);
INSERT INTO "jobs" VALUES(9,'0198c5a0-0000-7000-8000-000000000009',2,NULL,'article','Job 9','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225600000,NULL,NULL,1,1,0,0,0,NULL,2,NULL,NULL);
INSERT INTO "jobs" VALUES(10,'0198c5a0-0000-7000-8000-000000000010',1,NULL,'article','Job 10','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225600000,NULL,NULL,1,18,0,0,0,NULL,1,NULL,'00-a');
CREATE TABLE log_lines (
    job_n INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    -- Without a gap: the oldest lines are deleted, and no others.
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (job_n, seq)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE owners (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- The feed cursor of the newest change of any of its jobs.
    rev INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, owner)
  ) STRICT;
INSERT INTO "owners" VALUES(1,'acme','ann',18);
INSERT INTO "owners" VALUES(2,'beta','ann',1);
CREATE TABLE payloads (
    job_n INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    input TEXT NOT NULL,
    output TEXT NOT NULL
  ) STRICT;
INSERT INTO "payloads" VALUES(1,'{"n":1}','null');
INSERT INTO "payloads" VALUES(2,'{"n":2}','null');
INSERT INTO "payloads" VALUES(3,'{"n":3}','null');
INSERT INTO "payloads" VALUES(4,'{"n":4}','null');
INSERT INTO "payloads" VALUES(5,'{"n":5}','null');
INSERT INTO "payloads" VALUES(6,'{"n":6}','null');
INSERT INTO "payloads" VALUES(7,'{"n":7}','null');
INSERT INTO "payloads" VALUES(8,'{"n":8}','null');
INSERT INTO "payloads" VALUES(9,'{"n":9}','null');
INSERT INTO "payloads" VALUES(10,'{"n":10}','null');
CREATE TABLE revoked_tokens (
    tenant TEXT NOT NULL,
    -- SHA-256 of the token's jti.
    hash TEXT NOT NULL,
    -- When the token has certainly expired.
    ends INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE revoked_users (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    -- Tokens that were issued before it have ended.
    moment INTEGER NOT NULL,
    PRIMARY KEY (tenant, user)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE session_counts (
    tenant TEXT PRIMARY KEY,
    count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE session_entries (
    session_n INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (session_n, name)
  ) STRICT, WITHOUT ROWID;
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
CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    ends INTEGER NOT NULL,
    -- All of it, as JSON.
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    ends INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE tenant_usage (
    tenant TEXT PRIMARY KEY,
    -- Jobs that are not settled.
    waiting INTEGER NOT NULL,
    -- Of inputs and outputs.
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
INSERT INTO "tenant_usage" VALUES('acme',8,100);
INSERT INTO "tenant_usage" VALUES('beta',1,11);
CREATE TABLE tenants (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    -- The feed cursor of the newest change of any of its jobs.
    rev INTEGER NOT NULL
  ) STRICT;
INSERT INTO "tenants" VALUES(1,'acme',18);
INSERT INTO "tenants" VALUES(2,'beta',1);
CREATE TABLE tickets (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The connection that holds it.
    holder TEXT NOT NULL,
    ends INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, id)
  ) STRICT, WITHOUT ROWID;
CREATE INDEX batches_of_owner ON batches (owner_n);
CREATE UNIQUE INDEX batches_idempotency ON batches (owner_n, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_of_owner ON jobs (owner_n);
CREATE INDEX jobs_by_kind_and_status ON jobs (owner_n, kind, status);
CREATE INDEX jobs_of_batch ON jobs (batch_n) WHERE batch_n IS NOT NULL;
CREATE INDEX jobs_due ON jobs (due) WHERE due IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner_n, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX sessions_by_end ON sessions (ends);
CREATE INDEX sessions_of_tenant ON sessions (tenant, ends);
CREATE TRIGGER session_made AFTER INSERT ON sessions BEGIN
    INSERT INTO session_counts (tenant, count) VALUES (new.tenant, 1)
      ON CONFLICT (tenant) DO UPDATE SET count = count + 1;
  END;
CREATE TRIGGER session_gone AFTER DELETE ON sessions BEGIN
    UPDATE session_counts SET count = count - 1 WHERE tenant = old.tenant;
    DELETE FROM session_counts WHERE tenant = old.tenant AND count = 0;
  END;
CREATE INDEX api_keys_of_tenant ON api_keys (tenant);
CREATE INDEX sign_ins_by_end ON sign_ins (ends);
CREATE INDEX sign_ins_of_user ON sign_ins (tenant, owner, ends);
CREATE UNIQUE INDEX jobs_feed ON jobs (owner_n, rev);
CREATE UNIQUE INDEX jobs_tenant_feed ON jobs (tenant_n, rev);
CREATE INDEX jobs_of_tenant ON jobs (tenant_n);
CREATE INDEX jobs_of_tenant_by_kind_and_status ON jobs (tenant_n, kind, status);
CREATE INDEX batches_of_tenant ON batches (tenant_n);
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (tenant, ends);
CREATE INDEX revoked_users_by_moment ON revoked_users (tenant, moment);
CREATE INDEX api_keys_of_user ON api_keys (tenant, user);
CREATE INDEX signing_keys_by_end ON signing_keys (ends);
CREATE INDEX share_links_by_end ON share_links (tenant, ends);
CREATE INDEX tickets_by_end ON tickets (tenant, user, ends);
INSERT INTO sqlite_sequence VALUES ('jobs', 10);
INSERT INTO sqlite_sequence VALUES ('batches', 1);
PRAGMA application_id = 1248813655;
PRAGMA user_version = 12;
