/** Migrations of the queue. */

/** It has an order within each tenant. */
export const QUEUE_OF_TENANTS = `
  ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
  -- Its place among the ready jobs of its tenant: when it was queued, or its delay ends, less its priority. Jobs that wait
  -- when this column comes have 0: they stay in the order of their creation, before all that come later.
  ALTER TABLE jobs ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
  UPDATE jobs SET rank = due WHERE due > 0 AND held = 0;
  DROP INDEX jobs_due;
  CREATE INDEX jobs_ready ON jobs (tenant_n, rank) WHERE due = 0;
  CREATE INDEX jobs_delayed ON jobs (due) WHERE held = 0 AND due > 0;
  CREATE INDEX jobs_leased ON jobs (due) WHERE held = 1;
`;

/** It has lines within each tenant: of the jobs of a kind and of a key. */
export const QUEUE_OF_LINES = `
  -- By which the limits of its kind count the job. NULL: it has none.
  ALTER TABLE jobs ADD COLUMN key TEXT;
  DROP INDEX jobs_ready;
  CREATE INDEX jobs_ready ON jobs (tenant_n, kind, key, rank) WHERE due = 0;
`;
