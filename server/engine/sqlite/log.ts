/** The log of each job: its events by `seq`. */
import type { DatabaseSync } from "node:sqlite";
import type { EventSlice } from "#server/engine/contract.ts";
import type { JobEvent } from "#shared/events.ts";
import { EVENT_COLUMNS, eventOfRow, type EventRow } from "./rows.ts";

export interface Log {
  append(jobN: number | bigint, event: JobEvent): void;
  read(jobId: string, after: number, limit: number): EventSlice | undefined;
}

export function createLog(db: DatabaseSync): Log {
  const insert = db.prepare(
    `INSERT INTO events (job_n, ${EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const findJob = db.prepare("SELECT n FROM jobs WHERE id = ?");
  const newest = db.prepare(
    `SELECT ${EVENT_COLUMNS} FROM events WHERE job_n = ? ORDER BY seq DESC LIMIT 1`,
  );
  const slice = db.prepare(
    `SELECT ${EVENT_COLUMNS} FROM events WHERE job_n = ? AND seq > ? ORDER BY seq LIMIT ?`,
  );
  return {
    append(jobN, event) {
      insert.run(
        jobN,
        event.seq,
        event.at.getTime(),
        event.attempt,
        event.type,
        event.progress,
        event.message,
      );
    },
    read(jobId, after, limit) {
      const job = findJob.get(jobId) as { n: number } | undefined;
      if (!job) return undefined;
      const last = newest.get(job.n) as unknown as EventRow;
      const rows =
        after >= last.seq ? [] : (slice.all(job.n, after, limit) as unknown as EventRow[]);
      return {
        events: rows.map((row) => eventOfRow(jobId, row)),
        newest: eventOfRow(jobId, last),
      };
    },
  };
}
