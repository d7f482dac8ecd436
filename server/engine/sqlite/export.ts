/** All that a data directory holds, for another engine. It is read, and locked while it is read; nothing is changed. */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type {
  TransferBatch,
  TransferJob,
  TransferOwner,
  TransferSource,
  TransferTenant,
} from "#server/engine/transfer.ts";
import { readApiKeys } from "./api-keys.ts";
import { readAudit } from "./audit.ts";
import { readPauses } from "./pauses.ts";
import { readRevocations } from "./revocations.ts";
import { readSchedules } from "./schedules.ts";
import { readShareLinks } from "./share-links.ts";
import { readSigningKeys } from "./signing-keys.ts";
import { createDrafts } from "./drafts.ts";
import { messageOf } from "#shared/errors.ts";
import { databasePath, openDatabase } from "./database.ts";
import { asAppError, resultCode, unusable } from "./errors.ts";
import { selectJobs, summaryOfRow } from "./job-rows.ts";
import { createHidden } from "./hidden.ts";
import { finishStaged } from "./staged-batches.ts";
import { createJobs } from "./jobs.ts";
import { createLines } from "./lines.ts";
import { createLog } from "./log.ts";
import { LEFT_READY, READY } from "./queue.ts";
import { createOwners } from "./owners.ts";
import { createUsage } from "./usage.ts";
import { BATCH_COLUMNS, BATCH_TABLES, batchOfRow, type BatchRow } from "./rows.ts";

export function openExport(dataDir: string): TransferSource {
  const path = databasePath(dataDir);
  if (!existsSync(path)) throw unusable(path, "does not exist, so there is nothing to take over.");
  const db = openDatabase(dataDir);
  finishStaged(db, { owners: createOwners(db), usage: createUsage(db) }, Date.now());
  return {
    tenants: () => told(readTenants(db), path),
    owners: () => told(readOwners(db), path),
    batches: () => told(readBatches(db), path),
    jobs: () => told(readJobs(db, path), path),
    apiKeys: () => told(readApiKeys(db), path),
    revocations: () => told(readRevocations(db), path),
    signingKeys: () => told(readSigningKeys(db), path),
    shareLinks: () => told(readShareLinks(db), path),
    schedules: () => told(readSchedules(db), path),
    pauses: () => told(readPauses(db), path),
    audit: () => told(readAudit(db), path),
    close: () => db.close(),
  };
}

/** The same records; errors name the data directory. */
function* told<T>(records: Iterable<T>, path: string): Iterable<T> {
  try {
    yield* records;
  } catch (cause) {
    throw asAppError(cause, path);
  }
}

function readTenants(db: DatabaseSync): Iterable<TransferTenant> {
  return db
    .prepare("SELECT tenant, rev FROM tenants ORDER BY n")
    .iterate() as unknown as Iterable<TransferTenant>;
}

function readOwners(db: DatabaseSync): Iterable<TransferOwner> {
  return db
    .prepare("SELECT tenant, owner, rev FROM owners ORDER BY n")
    .iterate() as unknown as Iterable<TransferOwner>;
}

function* readBatches(db: DatabaseSync): Iterable<TransferBatch> {
  const rows = db
    .prepare(
      `SELECT ${BATCH_COLUMNS}, batches.idempotency_key AS key FROM ${BATCH_TABLES} ORDER BY batches.n`,
    )
    .iterate() as unknown as Iterable<BatchRow & { key: string | null }>;
  for (const row of rows) yield { n: row.n, batch: batchOfRow(row), idempotencyKey: row.key };
}

/** Jobs a page. */
const PAGE = 200;
const ALL = Number.MAX_SAFE_INTEGER;

interface Part {
  path: string;
  job: string;
  part: string;
  /** The statement after which the rest of the job can be taken over. */
  cure: string;
}

function readPart<T>({ path, job, part, cure }: Part, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (resultCode(cause) !== undefined) throw cause;
    throw unusable(
      path,
      `cannot be taken over: the ${part} of job ${job} cannot be read (${messageOf(cause)}). ` +
        `Nothing in it was changed. Correct that job there, or give up its ${part} with \`${cure}\`, and run this again.`,
      cause,
    );
  }
}

function* readJobs(db: DatabaseSync, path: string): Iterable<TransferJob> {
  const owners = createOwners(db);
  const jobs = createJobs(db, owners, createHidden());
  const log = createLog(db);
  const drafts = createDrafts(db, jobs);
  const logLines = createLines(db, jobs);
  const page = selectJobs(db, "WHERE jobs.n > ? ORDER BY jobs.n LIMIT ?");
  const more = db.prepare(
    `SELECT idempotency_key AS key, CASE WHEN held = 1 OR ${LEFT_READY} THEN ${READY} ELSE due END AS due, debounce_key FROM jobs WHERE n = ?`,
  );
  const now = Date.now();
  let after = 0;
  for (;;) {
    const rows = page.all(after, PAGE);
    for (const row of rows) {
      const {
        key: idempotencyKey,
        due,
        debounce_key: debounceKey,
      } = more.get(now, row.n) as {
        key: string | null;
        due: number | null;
        debounce_key: string | null;
      };
      const { n, id } = row;
      const payload = readPart(
        {
          path,
          job: id,
          part: "input or output",
          cure: `REPLACE INTO payloads VALUES (${n}, 'null', 'null')`,
        },
        () => jobs.payload(row),
      );
      const draft = readPart(
        { path, job: id, part: "draft", cure: `DELETE FROM drafts WHERE job_n = ${n}` },
        () => drafts.read(id, 0)?.pieces ?? [],
      );
      yield {
        n,
        job: { ...summaryOfRow(row), ...payload },
        idempotencyKey,
        rev: row.rev,
        due,
        token: row.token,
        trace: row.trace,
        expires: row.expires,
        // Only a job that waits for its first start takes further calls.
        debounceKey: row.starts_at === null ? null : debounceKey,
        // As at a start: it waits for none that will be queued after it.
        rank: Math.min(row.rank, now),
        key: row.key,
        events: log.read(id, 0, ALL)?.events ?? [],
        draft,
        lines: logLines.read(id, 0, ALL)?.lines ?? [],
      };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.n;
  }
}
