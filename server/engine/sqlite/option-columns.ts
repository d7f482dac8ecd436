/** Migration: options of a job. */
export const JOB_OPTIONS = `
  -- Times of the record.
  ALTER TABLE jobs ADD COLUMN starts_at INTEGER;
  ALTER TABLE jobs ADD COLUMN expires_at INTEGER;
  ALTER TABLE jobs ADD COLUMN max_attempts INTEGER;
  -- expires_at by the clock of the queue.
  ALTER TABLE jobs ADD COLUMN expires INTEGER;
  -- NULL: calls are not debounced. A job that has started or settled keeps it and takes no further ones.
  ALTER TABLE jobs ADD COLUMN debounce_key TEXT;
  CREATE INDEX jobs_expiring ON jobs (expires) WHERE expires IS NOT NULL;
  CREATE INDEX jobs_debounced ON jobs (owner_n, kind, debounce_key)
    WHERE debounce_key IS NOT NULL AND starts_at IS NOT NULL;
  -- Versions before stored the time of queueing here, and no new job waited.
  UPDATE jobs SET due = 0 WHERE held = 0 AND due > 0 AND attempt = 0;
`;
