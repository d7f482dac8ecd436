/** The table of schedules. */
export const SCHEDULE_TABLE = `
  CREATE TABLE schedules (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- NULL: it has fired for the last time.
    next_at INTEGER,
    -- From when on it may be taken: its next time, or the end of a hold. NULL: it is paused, or has no next time.
    free_at INTEGER,
    -- The time for which its firing has begun.
    begun_at INTEGER,
    -- All but the input, as JSON.
    record TEXT NOT NULL,
    input TEXT NOT NULL,
    UNIQUE (tenant, owner, key)
  ) STRICT;
  CREATE INDEX schedules_of_tenant ON schedules (tenant, n);
  CREATE INDEX schedules_of_owner ON schedules (tenant, owner, n);
  CREATE INDEX schedules_by_time ON schedules (free_at) WHERE free_at IS NOT NULL;
  `;

/** Records of schedules have options from here on, too, which earlier programs would lose. */
export const JOBS_OF_SCHEDULES = `
  ALTER TABLE jobs ADD COLUMN schedule_id TEXT;
  -- The event of a job's creation has the schedule since there are any.
  UPDATE jobs SET schedule_id = (
    SELECT actor ->> '$.scheduleId' FROM events WHERE events.job_n = jobs.n AND events.seq = 1
  ) WHERE EXISTS (SELECT 1 FROM schedules) AND EXISTS (
    SELECT 1 FROM events WHERE events.job_n = jobs.n AND events.seq = 1
      AND CASE WHEN json_valid(actor) THEN actor ->> '$.scheduleId' END IS NOT NULL
  );
  CREATE INDEX jobs_of_schedule ON jobs (owner_n, schedule_id, kind, status) WHERE schedule_id IS NOT NULL;
  CREATE INDEX jobs_of_schedule_and_tenant ON jobs (tenant_n, schedule_id, kind, status) WHERE schedule_id IS NOT NULL;
  `;
