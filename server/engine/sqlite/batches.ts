/** Batches: records of how many of their jobs are in each status. */
import type { DatabaseSync } from "node:sqlite";
import type { BatchPage, BatchQuery, NewBatch } from "#server/engine/contract.ts";
import type { BatchRecord } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import { createdBatch } from "#server/engine/created-batch.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { Hidden } from "./hidden.ts";
import { LIMIT } from "./limit.ts";
import type { Owners, TakenRevs } from "./owners.ts";
import {
  assign,
  BATCH_COLUMNS,
  BATCH_TABLES,
  batchOfRow,
  type BatchRow,
  CHANGED_BATCH_COLUMNS,
  CREATED_BATCH_COLUMNS,
  insertInto,
  valuesOfBatch,
} from "./rows.ts";

export interface Batches {
  get(batchId: string): BatchRecord | undefined;
  list(query: BatchQuery): BatchPage;
  /**
   * The batch that its owner created before with the same idempotency key. `UNAVAILABLE` where one could not be stored whole,
   * and is not deleted yet.
   */
  findFirst(batch: NewBatch): BatchRecord | undefined;
  insert(
    batch: NewBatch,
    of: Pick<TakenRevs, "ownerN" | "tenantN">,
    jobs: number,
    at: Date,
  ): { n: number | bigint; batch: BatchRecord };
  read(n: number): BatchRecord;
  update(n: number, batch: BatchRecord): void;
}

export function createBatches(db: DatabaseSync, owners: Owners, hidden: Hidden): Batches {
  const byId = db.prepare(`SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES} WHERE batches.id = ?`);
  const byN = db.prepare(`SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES} WHERE batches.n = ?`);
  const byKey = db.prepare(
    `SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES} WHERE batches.owner_n = ? AND batches.idempotency_key = ?`,
  );
  const page = (column: "owner_n" | "tenant_n") =>
    db.prepare(
      `SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES}
       WHERE batches.${column} = ? AND batches.n < ? ORDER BY batches.n DESC ${LIMIT}`,
    );
  const pageOfOwner = page("owner_n");
  const pageOfTenant = page("tenant_n");
  const insert = db.prepare(
    insertInto("batches", ["owner_n", "tenant_n", "idempotency_key", ...CREATED_BATCH_COLUMNS]),
  );
  const update = db.prepare(`UPDATE batches SET ${assign(CHANGED_BATCH_COLUMNS)} WHERE n = ?`);

  return {
    get(batchId) {
      const row = byId.get(batchId) as BatchRow | undefined;
      return row !== undefined && hidden.hasBatch(row.n) ? undefined : recordOf(row);
    },
    findFirst({ idempotencyKey, ...owner }) {
      const found = idempotencyKey === undefined ? undefined : owners.find(owner);
      const row = found && byKey.get(found.n, idempotencyKey ?? null);
      if (row !== undefined && hidden.hasBatch(Number(row.n))) throw notDeleted();
      return recordOf(row);
    },
    list(query) {
      const before = pageBefore(query.cursor);
      const of = owners.find(query);
      if (!of) return { items: [], nextCursor: null };
      const page = query.owner === undefined ? pageOfTenant : pageOfOwner;
      const found = page.all(of.n, before, query.limit + 1 + hidden.size) as unknown as BatchRow[];
      const shown = found.filter(({ n }) => !hidden.hasBatch(n)).slice(0, query.limit + 1);
      const { rows, nextCursor } = pageOf(shown, query.limit);
      return { items: rows.map(batchOfRow), nextCursor };
    },
    insert(fresh, { ownerN, tenantN }, jobs, at) {
      const batch = createdBatch(fresh, jobs, at);
      const values = valuesOfBatch(batch, CREATED_BATCH_COLUMNS);
      const { lastInsertRowid } = insert.run(
        ownerN,
        tenantN,
        fresh.idempotencyKey ?? null,
        ...values,
      );
      return { n: lastInsertRowid, batch };
    },
    read: (n) => batchOfRow(byN.get(n) as unknown as BatchRow),
    update(n, batch) {
      update.run(...valuesOfBatch(batch, CHANGED_BATCH_COLUMNS), n);
    },
  };
}

function notDeleted(): AppError {
  return new AppError(
    "UNAVAILABLE",
    "The batch of an earlier call with this idempotency key could not be stored, and is being deleted. Try again.",
  );
}

function recordOf(row: unknown): BatchRecord | undefined {
  return row === undefined ? undefined : batchOfRow(row as BatchRow);
}
