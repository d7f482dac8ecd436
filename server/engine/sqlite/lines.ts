/** Log lines of jobs: each job keeps the newest ones of all its attempts. */
import type { DatabaseSync } from "node:sqlite";
import type { ClaimRef, LineSlice } from "#server/engine/contract.ts";
import { notWriting } from "#server/engine/errors.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import type { LogLevel, NewLogLine } from "#shared/log-line.ts";
import { requireClaim, requireRow } from "./change.ts";
import type { JobRow } from "./job-rows.ts";
import type { Jobs } from "./jobs.ts";
import { LIMIT } from "./limit.ts";
import type { Outbox } from "./outbox.ts";

export interface Lines {
  append(claim: ClaimRef, lines: readonly NewLogLine[]): void;
  /** Where the newest line is `after`. Returns the newest one then. */
  appendMirrored(jobId: string, after: number, lines: readonly NewLogLine[]): number;
  read(jobId: string, after: number, limit: number): LineSlice | undefined;
}

interface LineRow {
  seq: number;
  at: number;
  attempt: number;
  level: LogLevel;
  message: string;
}

/** `outbox` is told of lines that are appended. */
export function createLines(db: DatabaseSync, jobs: Jobs, outbox?: Outbox): Lines {
  const newest = db.prepare("SELECT max(seq) AS seq FROM log_lines WHERE job_n = ?");
  const insert = db.prepare(
    "INSERT INTO log_lines (job_n, seq, at, attempt, level, message) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const drop = db.prepare("DELETE FROM log_lines WHERE job_n = ? AND seq <= ?");
  const select = db.prepare(
    `SELECT seq, at, attempt, level, message FROM log_lines WHERE job_n = ? AND seq > ? ORDER BY seq ${LIMIT}`,
  );
  const headOf = (n: number) => (newest.get(n) as { seq: number | null }).seq ?? 0;

  function add(row: JobRow, after: number, lines: readonly NewLogLine[]): number {
    let seq = after;
    for (const { at, level, message } of lines) {
      seq += 1;
      insert.run(row.n, seq, at.getTime(), row.attempt, level, message);
    }
    if (seq > MAX_LOG_LINES) drop.run(row.n, seq - MAX_LOG_LINES);
    outbox?.lines(row.id);
    return seq;
  }

  return {
    append(claim, lines) {
      const row = requireRow(jobs, claim.jobId);
      requireClaim(row, claim);
      if (row.status !== "PROCESSING") throw notWriting(row.id, row.status);
      add(row, headOf(row.n), lines);
    },
    appendMirrored(jobId, after, lines) {
      const row = requireRow(jobs, jobId);
      const head = headOf(row.n);
      return head === after && lines.length > 0 ? add(row, head, lines) : head;
    },
    read(jobId, after, limit) {
      const row = jobs.findRow(jobId);
      if (!row) return undefined;
      const head = headOf(row.n);
      const found = after >= head ? [] : (select.all(row.n, after, limit) as unknown as LineRow[]);
      return {
        lines: found.map(({ seq, at, attempt, level, message }) => ({
          seq,
          at: new Date(at),
          attempt,
          level,
          message,
        })),
        head,
        status: row.status,
      };
    },
  };
}
