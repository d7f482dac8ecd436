/** Reads of jobs: one, a page, the newest changes. */
import type { DatabaseSync } from "node:sqlite";
import type { FeedSlice, JobPage, JobQuery } from "#server/engine/contract.ts";
import type { Job, JobPayload, JobSummary } from "#shared/job.ts";
import type { Owner } from "#shared/principal.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { Owners } from "./owners.ts";
import { type JobRow, selectJobs, summaryOfRow } from "./job-rows.ts";

export interface Jobs {
  /** Without input and output. */
  findRow(jobId: string): JobRow | undefined;
  get(jobId: string): Job | undefined;
  getSummary(jobId: string): JobSummary | undefined;
  findByKey(ownerN: number, key: string): Job | undefined;
  payload(row: JobRow): JobPayload;
  list(query: JobQuery): JobPage;
  feed(owner: Owner, after: number, limit: number): FeedSlice;
}

export function createJobs(db: DatabaseSync, owners: Owners): Jobs {
  const byId = selectJobs(db, "WHERE jobs.id = ?");
  const byKey = selectJobs(db, "WHERE jobs.owner_n = ? AND jobs.idempotency_key = ?");
  const payloads = db.prepare("SELECT input, output FROM payloads WHERE job_n = ?");
  const changes = selectJobs(
    db,
    "WHERE jobs.owner_n = ? AND jobs.rev > ? ORDER BY jobs.rev LIMIT ?",
  );
  const page = preparePages(db);

  function findRow(jobId: string): JobRow | undefined {
    return byId.first(jobId);
  }

  function payload({ n }: JobRow): JobPayload {
    const stored = payloads.get(n) as Record<keyof JobPayload, string>;
    const payload = {
      input: JSON.parse(stored.input) as unknown,
      output: JSON.parse(stored.output) as unknown,
    };
    return payload satisfies Record<keyof JobPayload, unknown>;
  }

  function complete(row: JobRow): Job {
    return { ...summaryOfRow(row), ...payload(row) };
  }

  return {
    findRow,
    payload,
    get(jobId) {
      const row = findRow(jobId);
      return row && complete(row);
    },
    getSummary(jobId) {
      const row = findRow(jobId);
      return row && summaryOfRow(row);
    },
    findByKey(ownerN, key) {
      const row = byKey.first(ownerN, key);
      return row && complete(row);
    },
    list(query) {
      const before = pageBefore(query.cursor);
      const owner = owners.find(query);
      if (!owner) return { items: [], nextCursor: null, feed: owners.head(query) };
      const { rows, nextCursor } = pageOf(page(query, owner.n, before), query.limit);
      return { items: rows.map(summaryOfRow), nextCursor, feed: owner.rev };
    },
    feed(owner, after, limit) {
      const found = owners.find(owner);
      if (!found) return { changes: [], head: owners.head(owner) };
      const rows = after >= found.rev ? [] : changes.all(found.n, after, limit);
      return {
        changes: rows.map((row) => ({ rev: row.rev, job: summaryOfRow(row) })),
        head: found.rev,
      };
    },
  };
}

/** One statement for each combination of filters, so that each has its index. */
function preparePages(
  db: DatabaseSync,
): (query: JobQuery, ownerN: number, before: number) => JobRow[] {
  const statement = (filters: string) =>
    selectJobs(db, `WHERE ${filters} AND jobs.n < ? ORDER BY jobs.n DESC LIMIT ?`);
  const ofOwner = statement("jobs.owner_n = ?");
  const byStatus = statement("jobs.owner_n = ? AND jobs.status = ?");
  const byKind = statement("jobs.owner_n = ? AND jobs.kind = ?");
  const byKindAndStatus = statement("jobs.owner_n = ? AND jobs.kind = ? AND jobs.status = ?");
  // A batch is small, so the other filters may scan its jobs.
  const ofBatch = statement(
    `jobs.batch_n = (SELECT batches.n FROM batches WHERE batches.id = ?) AND +jobs.owner_n = ?
     AND (? IS NULL OR +jobs.status = ?) AND (? IS NULL OR +jobs.kind = ?)`,
  );
  return ({ status, kind, batchId, limit }, ownerN, before) => {
    const end = [before, limit + 1];
    if (batchId !== undefined) {
      const [state, name] = [status ?? null, kind ?? null];
      return ofBatch.all(batchId, ownerN, state, state, name, name, ...end);
    }
    if (kind === undefined) {
      return status === undefined
        ? ofOwner.all(ownerN, ...end)
        : byStatus.all(ownerN, status, ...end);
    }
    return status === undefined
      ? byKind.all(ownerN, kind, ...end)
      : byKindAndStatus.all(ownerN, kind, status, ...end);
  };
}
