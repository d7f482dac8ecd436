/** Batches: records of how many of their jobs are in each status. */
import type { DatabaseSync } from "node:sqlite";
import type { BatchPage, BatchQuery, NewBatch } from "#server/engine/contract.ts";
import type { BatchRecord } from "#shared/batch.ts";
import { createdBatch } from "#server/engine/created-batch.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { Owners } from "./owners.ts";
import { BATCH_COLUMNS, BATCH_TABLES, batchOfRow, type BatchRow } from "./rows.ts";

export interface Batches {
  get(batchId: string): BatchRecord | undefined;
  list(query: BatchQuery): BatchPage;
  findByKey(ownerN: number, key: string): BatchRecord | undefined;
  insert(
    batch: NewBatch,
    ownerN: number,
    jobs: number,
    at: Date,
  ): { n: number | bigint; batch: BatchRecord };
  read(n: number): BatchRecord;
  update(n: number, batch: BatchRecord): void;
}

export function createBatches(db: DatabaseSync, owners: Owners): Batches {
  const byId = db.prepare(`SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES} WHERE batches.id = ?`);
  const byN = db.prepare(`SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES} WHERE batches.n = ?`);
  const byKey = db.prepare(
    `SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES} WHERE batches.owner_n = ? AND batches.idempotency_key = ?`,
  );
  const page = db.prepare(
    `SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES}
     WHERE batches.owner_n = ? AND batches.n < ? ORDER BY batches.n DESC LIMIT ?`,
  );
  const insert = db.prepare(
    `INSERT INTO batches (id, owner_n, name, pending, processing, delivered, blocked, aborted,
       version, created_at, updated_at, idempotency_key)
     VALUES (?, ?, ?, ?, 0, 0, 0, 0, 1, ?, ?, ?)`,
  );
  const update = db.prepare(
    `UPDATE batches SET pending = ?, processing = ?, delivered = ?, blocked = ?, aborted = ?,
       version = ?, updated_at = ? WHERE n = ?`,
  );

  return {
    get: (batchId) => recordOf(byId.get(batchId)),
    findByKey: (ownerN, key) => recordOf(byKey.get(ownerN, key)),
    list(query) {
      const before = pageBefore(query.cursor);
      const owner = owners.find(query);
      if (!owner) return { items: [], nextCursor: null };
      const found = page.all(owner.n, before, query.limit + 1) as unknown as BatchRow[];
      const { rows, nextCursor } = pageOf(found, query.limit);
      return { items: rows.map(batchOfRow), nextCursor };
    },
    insert(batch, ownerN, jobs, at) {
      const time = at.getTime();
      const key = batch.idempotencyKey ?? null;
      const { lastInsertRowid } = insert.run(batch.id, ownerN, batch.name, jobs, time, time, key);
      return { n: lastInsertRowid, batch: createdBatch(batch, jobs, at) };
    },
    read: (n) => batchOfRow(byN.get(n) as unknown as BatchRow),
    update(n, { counts, version, updatedAt }) {
      update.run(
        counts.PENDING,
        counts.PROCESSING,
        counts.DELIVERED,
        counts.BLOCKED,
        counts.ABORTED,
        version,
        updatedAt.getTime(),
        n,
      );
    },
  };
}

function recordOf(row: unknown): BatchRecord | undefined {
  return row === undefined ? undefined : batchOfRow(row as BatchRow);
}
