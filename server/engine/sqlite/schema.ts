/**
 * The tables, as migrations: each upgrades a file by one version (`PRAGMA user_version`), in a transaction.
 * Times are milliseconds. `n` are row numbers; they order rows by creation and are never used twice.
 */
import type { DatabaseSync } from "node:sqlite";
import { unusable } from "./errors.ts";
import { LOG_LINE_TABLE } from "./log-line-table.ts";
import { JOB_OPTIONS } from "./option-columns.ts";
import { MIRROR_TABLES } from "./mirrors.ts";
import { PAUSE_TABLE } from "./pauses.ts";
import { QUEUE_OF_LINES, QUEUE_OF_TENANTS } from "./queue-columns.ts";
import { JOBS_OF_SCHEDULES, SCHEDULE_TABLE } from "./schedule-table.ts";
import { SESSION_TABLES } from "./session-tables.ts";
import { STAGED_BATCHES } from "./staged-batches.ts";
import { SHARING_TABLES } from "./sharing-tables.ts";

/** `PRAGMA application_id`: "JobW". It tells our files from those of other programs. */
export const APPLICATION_ID = 0x4a6f6257;

export const MIGRATIONS: readonly string[] = [
  `
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
    -- The rev of the newest change.
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

  -- What may be large, as JSON: apart, so that lists and progress never touch it.
  CREATE TABLE payloads (
    job_n INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    input TEXT NOT NULL,
    output TEXT NOT NULL
  ) STRICT;

  -- In the order of time, with an index by job: the tail of one table is rewritten with each commit, not a page
  -- for each job that had an event.
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
  `,
  SESSION_TABLES,
  `
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
  `,
  `
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
  `,
  // Revs counted up per owner. Now they do per tenant, so that a tenant has a feed too. The revs of each owner move up by
  // the newest ones of the owners before it, so no cursor of an owner's feed passes a change that it did not read.
  `
  CREATE TABLE tenants (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    -- The feed cursor of the newest change of any of its jobs.
    rev INTEGER NOT NULL
  ) STRICT;
  INSERT INTO tenants (tenant, rev) SELECT tenant, sum(rev) FROM owners GROUP BY tenant;

  CREATE TEMP TABLE moved AS
    SELECT owners.n AS owner_n, tenants.n AS tenant_n,
      sum(owners.rev) OVER (PARTITION BY owners.tenant ORDER BY owners.n) - owners.rev AS up
    FROM owners JOIN tenants ON tenants.tenant = owners.tenant;
  CREATE UNIQUE INDEX temp.moved_owner ON moved (owner_n);
  UPDATE owners SET rev = owners.rev + moved.up FROM moved WHERE moved.owner_n = owners.n;

  DROP INDEX jobs_feed;
  ALTER TABLE jobs ADD COLUMN tenant_n INTEGER NOT NULL DEFAULT 0;
  UPDATE jobs SET tenant_n = moved.tenant_n, rev = jobs.rev + moved.up
    FROM moved WHERE moved.owner_n = jobs.owner_n;
  CREATE UNIQUE INDEX jobs_feed ON jobs (owner_n, rev);
  CREATE UNIQUE INDEX jobs_tenant_feed ON jobs (tenant_n, rev);
  CREATE INDEX jobs_of_tenant ON jobs (tenant_n);
  CREATE INDEX jobs_of_tenant_by_kind_and_status ON jobs (tenant_n, kind, status);
  -- Filtered pages merge those of each kind and status, so that a change of a status moves a job in two indexes only.
  DROP INDEX jobs_by_status;
  DROP INDEX jobs_by_kind;

  ALTER TABLE batches ADD COLUMN tenant_n INTEGER NOT NULL DEFAULT 0;
  UPDATE batches SET tenant_n = moved.tenant_n FROM moved WHERE moved.owner_n = batches.owner_n;
  CREATE INDEX batches_of_tenant ON batches (tenant_n);

  DROP TABLE moved;
  DELETE FROM owners WHERE owner = '';
  `,
  `
  CREATE TABLE revoked_tokens (
    tenant TEXT NOT NULL,
    -- SHA-256 of the token's jti.
    hash TEXT NOT NULL,
    -- When the token has certainly expired.
    ends INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX revoked_tokens_by_end ON revoked_tokens (tenant, ends);

  CREATE TABLE revoked_users (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    -- Tokens that were issued before it have ended.
    moment INTEGER NOT NULL,
    PRIMARY KEY (tenant, user)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX revoked_users_by_moment ON revoked_users (tenant, moment);

  CREATE INDEX api_keys_of_user ON api_keys (tenant, user);
  `,
  `
  -- The caller that caused the event, as JSON. NULL: none did, or the event is older than this column.
  ALTER TABLE events ADD COLUMN actor TEXT;

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
  `,
  `
  -- How much each tenant has: adding it up would cost more than all else of creating a job.
  CREATE TABLE tenant_usage (
    tenant TEXT PRIMARY KEY,
    -- Jobs that are not settled.
    waiting INTEGER NOT NULL,
    -- Of inputs and outputs.
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO tenant_usage (tenant, waiting, bytes)
    SELECT tenant, sum(status IN ('PENDING', 'PROCESSING')), sum(octet_length(input) + octet_length(output))
    FROM jobs JOIN owners ON owners.n = jobs.owner_n JOIN payloads ON payloads.job_n = jobs.n GROUP BY tenant;
  `,
  SHARING_TABLES,
  `
  -- The newest state that a job's kind reported beside percent and message, as JSON. NULL: none.
  -- The last column, so that reads of the others need no page of it.
  ALTER TABLE jobs ADD COLUMN details TEXT;
  ALTER TABLE events ADD COLUMN details TEXT;
  `,
  LOG_LINE_TABLE,
  // The trace that the job's attempts belong to. NULL: none.
  "ALTER TABLE jobs ADD COLUMN trace TEXT",
  QUEUE_OF_TENANTS,
  SCHEDULE_TABLE,
  QUEUE_OF_LINES,
  `
  -- Kinds are kept for different times.
  DROP INDEX jobs_finished;
  CREATE INDEX jobs_finished ON jobs (kind, finished_at) WHERE finished_at IS NOT NULL;
  `,
  JOB_OPTIONS,
  STAGED_BATCHES,
  PAUSE_TABLE,
  MIRROR_TABLES,
  JOBS_OF_SCHEDULES,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Upgrades the file to the newest version. Throws for a file of a newer version, and leaves it unchanged. */
export function migrate(db: DatabaseSync, path: string): void {
  const { user_version: found } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (found > SCHEMA_VERSION) {
    throw unusable(
      path,
      `was written by a newer version of Jobwire (its data are of version ${found}, this program knows ` +
        `${SCHEMA_VERSION}). Nothing in it was changed. Start the newer version, or set DATA_DIR to another directory.`,
    );
  }
  if (found === SCHEMA_VERSION) return;
  // One transaction, so that a file is written to disk once, and has all steps or none.
  const steps = MIGRATIONS.slice(found).join(";\n");
  db.exec(`BEGIN; ${steps}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}
