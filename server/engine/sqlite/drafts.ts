/** Drafts: the text that an attempt writes, in pieces. Only the newest attempt's pieces are kept. */
import type { DatabaseSync } from "node:sqlite";
import type { ClaimRef, DraftSlice } from "#server/engine/contract.ts";
import { notTheEnd, notWriting } from "#server/engine/errors.ts";
import { requireClaim, requireRow } from "./change.ts";
import type { Jobs } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";

export interface Drafts {
  append(claim: ClaimRef, text: string, at?: number): number;
  read(jobId: string, after: number): DraftSlice | undefined;
}

interface LastPiece {
  seq: number;
  attempt: number;
  end_unit: number;
}

interface PieceRow {
  seq: number;
  attempt: number;
  start_unit: number;
  text: string;
}

/** `outbox` is told of pieces that are appended. */
export function createDrafts(db: DatabaseSync, jobs: Jobs, outbox?: Outbox): Drafts {
  const last = db.prepare(
    "SELECT seq, attempt, end_unit FROM drafts WHERE job_n = ? ORDER BY seq DESC LIMIT 1",
  );
  const drop = db.prepare("DELETE FROM drafts WHERE job_n = ?");
  const insert = db.prepare(
    "INSERT INTO drafts (job_n, seq, attempt, start_unit, end_unit, text) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const pieces = db.prepare(
    "SELECT seq, attempt, start_unit, text FROM drafts WHERE job_n = ? AND seq > ? ORDER BY seq",
  );

  return {
    append(claim, text, at) {
      const row = requireRow(jobs, claim.jobId);
      requireClaim(row, claim);
      if (row.status !== "PROCESSING") {
        throw notWriting(row.id, row.status);
      }
      const before = last.get(row.n) as LastPiece | undefined;
      const startsOver = before !== undefined && before.attempt !== row.attempt;
      const start = before === undefined || startsOver ? 0 : before.end_unit;
      if (at !== undefined && at !== start) {
        if (at + text.length > start) throw notTheEnd(row.id, at, start);
        return start;
      }
      if (startsOver) drop.run(row.n);
      insert.run(
        row.n,
        (before?.seq ?? 0) + 1,
        row.attempt,
        start,
        start + text.length,
        JSON.stringify(text),
      );
      outbox?.draft(row.id);
      return start + text.length;
    },
    read(jobId, after) {
      const row = jobs.findRow(jobId);
      if (!row) return undefined;
      const head = (last.get(row.n) as LastPiece | undefined)?.seq ?? 0;
      const found = after >= head ? [] : (pieces.all(row.n, after) as unknown as PieceRow[]);
      return {
        pieces: found.map(({ seq, attempt, start_unit, text }) => ({
          seq,
          attempt,
          offset: start_unit,
          text: JSON.parse(text) as string,
        })),
        head,
        status: row.status,
      };
    },
  };
}
