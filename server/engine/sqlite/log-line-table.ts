/** The migration that adds the table of log lines. */
export const LOG_LINE_TABLE = `
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
`;
