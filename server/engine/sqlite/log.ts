/** The log of each job: its events by `seq`. */
import type { DatabaseSync } from "node:sqlite";
import type { EventSlice } from "#server/engine/contract.ts";
import type { JobEvent } from "#shared/events.ts";
import { LIMIT } from "./limit.ts";
import {
  EVENT_COLUMNS,
  eventOfValues,
  type EventValues,
  insertInto,
  valuesOfEvent,
} from "./rows.ts";

export interface Log {
  append(jobN: number | bigint, event: JobEvent): void;
  read(jobId: string, after: number, limit: number): EventSlice | undefined;
}

export function createLog(db: DatabaseSync): Log {
  const columns = EVENT_COLUMNS.join(", ");
  const insert = db.prepare(insertInto("events", ["job_n", ...EVENT_COLUMNS]));
  const findJob = db.prepare("SELECT n FROM jobs WHERE id = ?");
  const newest = db.prepare(
    `SELECT ${columns} FROM events WHERE job_n = ? ORDER BY seq DESC LIMIT 1`,
  );
  const slice = db.prepare(
    `SELECT ${columns} FROM events WHERE job_n = ? AND seq > ? ORDER BY seq ${LIMIT}`,
  );
  newest.setReturnArrays(true);
  slice.setReturnArrays(true);
  return {
    append(jobN, event) {
      insert.run(jobN, ...valuesOfEvent(event));
    },
    read(jobId, after, limit) {
      const job = findJob.get(jobId) as { n: number } | undefined;
      if (!job) return undefined;
      const last = eventOfValues(jobId, newest.get(job.n) as unknown as EventValues);
      if (after >= last.seq) return { events: [], newest: last };
      const rows = slice.all(job.n, after, limit) as unknown as EventValues[];
      return { events: rows.map((values) => eventOfValues(jobId, values)), newest: last };
    },
  };
}
