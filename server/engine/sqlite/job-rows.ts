/** Rows of jobs, with what of their owner and batch belongs to their record. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { JobStatus, JobSummary } from "#shared/job.ts";

export interface JobRow {
  n: number;
  id: string;
  owner_n: number;
  tenant: string;
  owner: string;
  owner_rev: number;
  batch_n: number | null;
  batch_id: string | null;
  kind: string;
  title: string;
  status: JobStatus;
  progress: number;
  message: string;
  attempt: number;
  retries: number;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  version: number;
  rev: number;
  due: number | null;
  held: number;
  token: number;
}

const COLUMNS = `
  jobs.n, jobs.id, jobs.owner_n, owners.tenant, owners.owner, owners.rev, jobs.batch_n, batches.id,
  jobs.kind, jobs.title, jobs.status, jobs.progress, jobs.message, jobs.attempt, jobs.retries,
  jobs.error_code, jobs.error_message, jobs.created_at, jobs.started_at, jobs.finished_at,
  jobs.version, jobs.rev, jobs.due, jobs.held, jobs.token`;

/** In the order of `COLUMNS`. */
type Values = [
  ...[number, string, number, string, string, number, number | null, string | null],
  ...[string, string, JobStatus, number, string, number, number],
  ...[string | null, string | null, number, number | null, number | null],
  ...[number, number, number | null, number, number],
];

/** By hand: the objects that `node:sqlite` makes of rows are dictionaries, which cost as much again to read. */
function rowOf(values: Values): JobRow {
  return {
    n: values[0],
    id: values[1],
    owner_n: values[2],
    tenant: values[3],
    owner: values[4],
    owner_rev: values[5],
    batch_n: values[6],
    batch_id: values[7],
    kind: values[8],
    title: values[9],
    status: values[10],
    progress: values[11],
    message: values[12],
    attempt: values[13],
    retries: values[14],
    error_code: values[15],
    error_message: values[16],
    created_at: values[17],
    started_at: values[18],
    finished_at: values[19],
    version: values[20],
    rev: values[21],
    due: values[22],
    held: values[23],
    token: values[24],
  };
}

export interface JobSelect {
  first(...parameters: SQLInputValue[]): JobRow | undefined;
  all(...parameters: SQLInputValue[]): JobRow[];
}

/** `which`: the statement from `WHERE` on. */
export function selectJobs(db: DatabaseSync, which: string): JobSelect {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM jobs
       JOIN owners ON owners.n = jobs.owner_n
       LEFT JOIN batches ON batches.n = jobs.batch_n
     ${which}`,
  );
  statement.setReturnArrays(true);
  return {
    first(...parameters) {
      const values = statement.get(...parameters) as unknown as Values | undefined;
      return values && rowOf(values);
    },
    all: (...parameters) => (statement.all(...parameters) as unknown as Values[]).map(rowOf),
  };
}

export function summaryOfRow(row: JobRow): JobSummary {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    tenant: row.tenant,
    owner: row.owner,
    status: row.status,
    progress: row.progress,
    message: row.message,
    attempt: row.attempt,
    retries: row.retries,
    batchId: row.batch_id,
    error:
      row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
    createdAt: new Date(row.created_at),
    startedAt: dateOf(row.started_at),
    finishedAt: dateOf(row.finished_at),
    version: row.version,
  };
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}
