CREATE TABLE owners (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- The feed cursor of the newest change of any of its jobs.
    rev INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, owner)
  ) STRICT;
INSERT INTO owners VALUES(1,'acme','ann',8);
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
INSERT INTO batches VALUES(1,'0198c5a0-0000-7000-8000-000000000009',1,'January',1,0,0,0,1,2,1767225605000,1767225606000,NULL);
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
    -- The queue. When the next claim may take the job: its due time, or the end of the lease while it is held.
    due INTEGER,
    held INTEGER NOT NULL DEFAULT 0,
    -- Counts claims; the newest one's proof.
    token INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT
  ) STRICT;
INSERT INTO jobs VALUES(1,'0198c5a0-0000-7000-8000-000000000001',1,NULL,'article','Article 1','DELIVERED',100,'Approved: Fine',1,0,NULL,NULL,1767225600000,1767225601000,1767225604000,5,5,NULL,0,1,'first');
INSERT INTO jobs VALUES(2,'0198c5a0-0000-7000-8000-000000000002',1,1,'article','Article 2','ABORTED',0,'Cancelled',0,0,'CANCELLED','Cancelled',1767225605000,NULL,1767225606000,2,8,NULL,0,0,NULL);
INSERT INTO jobs VALUES(3,'0198c5a0-0000-7000-8000-000000000003',1,1,'article','Article 3','PENDING',0,'Job created and queued for processing',0,0,NULL,NULL,1767225605000,NULL,NULL,1,7,1767225605000,0,0,NULL);
CREATE TABLE payloads (
    job_n INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    input TEXT NOT NULL,
    output TEXT NOT NULL
  ) STRICT;
INSERT INTO payloads VALUES(1,'{"words":900}','{"title":"A title"}');
INSERT INTO payloads VALUES(2,'{"words":900}','null');
INSERT INTO payloads VALUES(3,'{"words":900}','null');
CREATE TABLE events (
    job_n INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    type TEXT NOT NULL,
    progress INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (job_n, seq)
  ) STRICT, WITHOUT ROWID;
INSERT INTO events VALUES(1,1,1767225600000,0,'created',0,'Job created and queued for processing');
INSERT INTO events VALUES(1,2,1767225601000,1,'started',0,'Job started');
INSERT INTO events VALUES(1,3,1767225602000,1,'progress',40,'Writing');
INSERT INTO events VALUES(1,4,1767225603000,1,'blocked',40,'Look at it');
INSERT INTO events VALUES(1,5,1767225604000,1,'approved',100,'Approved: Fine');
INSERT INTO events VALUES(2,1,1767225605000,0,'created',0,'Job created and queued for processing');
INSERT INTO events VALUES(2,2,1767225606000,0,'aborted',0,'Cancelled');
INSERT INTO events VALUES(3,1,1767225605000,0,'created',0,'Job created and queued for processing');
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
INSERT INTO drafts VALUES(1,1,1,0,16,'"Once upon a time"');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('jobs',3);
INSERT INTO sqlite_sequence VALUES('batches',1);
CREATE INDEX batches_of_owner ON batches (owner_n);
CREATE UNIQUE INDEX batches_idempotency ON batches (owner_n, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_of_owner ON jobs (owner_n);
CREATE INDEX jobs_by_status ON jobs (owner_n, status);
CREATE INDEX jobs_by_kind ON jobs (owner_n, kind);
CREATE INDEX jobs_by_kind_and_status ON jobs (owner_n, kind, status);
CREATE INDEX jobs_of_batch ON jobs (batch_n, status) WHERE batch_n IS NOT NULL;
CREATE UNIQUE INDEX jobs_feed ON jobs (owner_n, rev);
CREATE INDEX jobs_due ON jobs (due) WHERE due IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_idempotency ON jobs (owner_n, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
PRAGMA application_id = 1248813655;
PRAGMA user_version = 1;
