/** Reads of jobs: one, a page, the newest changes. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { FeedSlice, JobPage, JobQuery } from "#server/engine/contract.ts";
import { type Job, JOB_STATUSES, type JobPayload, type JobSummary } from "#shared/job.ts";
import type { FilterFields } from "#shared/job-filter.ts";
import type { OwnerFilter } from "#shared/principal.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { Owners } from "./owners.ts";
import { type JobRow, selectJobs, summaryOfRow } from "./job-rows.ts";
import type { Hidden } from "./hidden.ts";
import { LIMIT } from "./limit.ts";

export interface Jobs {
  /** Without input and output. */
  findRow(jobId: string): JobRow | undefined;
  get(jobId: string): Job | undefined;
  getSummary(jobId: string): JobSummary | undefined;
  findByKey(ownerN: number, key: string): Job | undefined;
  payload(row: JobRow): JobPayload;
  list(query: JobQuery): JobPage;
  feed(of: OwnerFilter, after: number, limit: number): FeedSlice;
}

export function createJobs(db: DatabaseSync, owners: Owners, hidden: Hidden): Jobs {
  const byId = selectJobs(db, "WHERE jobs.id = ?");
  const byKey = selectJobs(db, "WHERE jobs.owner_n = ? AND jobs.idempotency_key = ?");
  const payloads = db.prepare("SELECT input, output FROM payloads WHERE job_n = ?");
  const changesOf = (column: Column) =>
    selectJobs(db, `WHERE jobs.${column} = ? AND jobs.rev > ? ORDER BY jobs.rev ${LIMIT}`);
  const changes = { owner_n: changesOf("owner_n"), tenant_n: changesOf("tenant_n") };
  const pages = { owner_n: preparePages(db, "owner_n"), tenant_n: preparePages(db, "tenant_n") };

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

  /** Without the jobs of batches that are not shown yet. */
  function shown(read: ReadPage, query: JobQuery, n: number, before: number): JobRow[] {
    const rows: JobRow[] = [];
    for (let from = before; ;) {
      const page = read({ ...query, limit: query.limit - rows.length }, n, from);
      const end = page.findIndex((row) => hidden.startOf(row.n) !== undefined);
      if (end === -1) return rows.concat(page);
      rows.push(...page.slice(0, end));
      from = hidden.startOf((page[end] as JobRow).n) as number;
    }
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
      const found = owners.find(query);
      const feed = hidden.headOf(query.tenant, found?.rev ?? owners.head(query));
      if (!found) return { items: [], nextCursor: null, feed };
      const page = shown(pages[columnOf(query)], query, found.n, before);
      const { rows, nextCursor } = pageOf(page, query.limit);
      return { items: rows.map(summaryOfRow), nextCursor, feed };
    },
    feed(of, after, limit) {
      const found = owners.find(of);
      const head = hidden.headOf(of.tenant, found?.rev ?? owners.head(of));
      if (!found || after >= head) return { changes: [], head };
      const rows = changes[columnOf(of)]
        .all(found.n, after, limit)
        .filter(({ rev }) => rev <= head);
      return { changes: rows.map((row) => ({ rev: row.rev, job: summaryOfRow(row) })), head };
    },
  };
}

/** The column that says whose a job is. */
type Column = "owner_n" | "tenant_n";

function columnOf({ owner }: OwnerFilter): Column {
  return owner === undefined ? "tenant_n" : "owner_n";
}

type ReadPage = (query: JobQuery, n: number, before: number) => JobRow[];

/** `n`: the number of the owner or tenant. Pages come with one more row than asked for if there is one. */
function preparePages(db: DatabaseSync, column: Column): ReadPage {
  const whole = selectJobs(
    db,
    `WHERE jobs.${column} = ? AND jobs.n < ? ORDER BY jobs.n DESC ${LIMIT}`,
  );
  // A batch is small, so the other filters may scan its jobs.
  const ofBatch = selectJobs(
    db,
    `WHERE jobs.batch_n = (SELECT batches.n FROM batches WHERE batches.id = ?) AND +jobs.${column} = ?
     AND (? IS NULL OR +jobs.status = ?) AND (? IS NULL OR +jobs.kind = ?)
     AND jobs.n < ? ORDER BY jobs.n DESC ${LIMIT}`,
  );
  const lists = {
    ofAll: prepareLists(db, `${column} = ?`),
    ofSchedule: prepareLists(db, `${column} = ? AND schedule_id = ?`),
  };
  const byNumber = selectJobs(db, "WHERE jobs.n = ?");

  function filtered(query: JobQuery, n: number, before: number): JobRow[] {
    const { status, kind, scheduleId, limit } = query;
    const { kindsOf, page } = scheduleId === undefined ? lists.ofAll : lists.ofSchedule;
    const of = scheduleId === undefined ? [n] : [n, scheduleId];
    const numbers: number[] = [];
    for (const each of kind === undefined ? kindsOf(of) : [kind]) {
      for (const state of status === undefined ? JOB_STATUSES : [status]) {
        numbers.push(...page(of, each, state, before, limit + 1));
      }
    }
    const newest = numbers.toSorted((a, b) => b - a).slice(0, limit + 1);
    return newest.flatMap((number) => byNumber.first(number) ?? []);
  }

  return (query, n, before) => {
    const { status, kind, batchId, scheduleId, limit } = query;
    const asked = {
      batchId,
      status: status ?? null,
      kind: kind ?? null,
      scheduleId,
    } satisfies FilterFields;
    if (asked.batchId !== undefined) {
      if (asked.scheduleId !== undefined) return [];
      const states = [asked.status, asked.status] as const;
      const names = [asked.kind, asked.kind] as const;
      return ofBatch.all(asked.batchId, n, ...states, ...names, before, limit + 1);
    }
    const isWhole = status === undefined && kind === undefined && scheduleId === undefined;
    if (isWhole) return whole.all(n, before, limit + 1);
    return filtered(query, n, before);
  };
}

/** Of each kind and status, in an index that begins with what `which` compares. */
function prepareLists(db: DatabaseSync, which: string) {
  const nextKind = db.prepare(
    `SELECT kind FROM jobs WHERE ${which} AND kind > ? ORDER BY kind LIMIT 1`,
  );
  const numbers = db.prepare(
    `SELECT n FROM jobs WHERE ${which} AND kind = ? AND status = ? AND n < ? ORDER BY n DESC ${LIMIT}`,
  );
  return {
    kindsOf(of: SQLInputValue[]): string[] {
      const kinds: string[] = [];
      for (let after = ""; ;) {
        const next = nextKind.get(...of, after) as { kind: string } | undefined;
        if (next === undefined) return kinds;
        kinds.push((after = next.kind));
      }
    },
    page: (of: SQLInputValue[], ...rest: SQLInputValue[]) =>
      numbers.all(...of, ...rest).map(({ n }) => n as number),
  };
}
