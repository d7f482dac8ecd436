/** Codec of the rows of jobs, joined with the columns of their owner and batch that belong to the record. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { JobStatus, JobSummary } from "#shared/job.ts";
import { detailsOfText, keysOf, textOfDetails } from "./rows.ts";

export interface JobRow {
  n: number;
  id: string;
  owner_n: number;
  tenant: string;
  owner: string;
  tenant_n: number;
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
  /** As JSON. */
  details: string | null;
  trace: string | null;
  priority: number;
  rank: number;
  key: string | null;
  starts_at: number | null;
  expires_at: number | null;
  max_attempts: number | null;
  expires: number | null;
  schedule_id: string | null;
}

/** Each field of a row, and the column that it is read from. */
const SELECTED = [
  ["n", "jobs.n"],
  ["id", "jobs.id"],
  ["owner_n", "jobs.owner_n"],
  ["tenant", "owners.tenant"],
  ["owner", "owners.owner"],
  ["tenant_n", "jobs.tenant_n"],
  ["batch_n", "jobs.batch_n"],
  ["batch_id", "batches.id"],
  ["kind", "jobs.kind"],
  ["title", "jobs.title"],
  ["status", "jobs.status"],
  ["progress", "jobs.progress"],
  ["message", "jobs.message"],
  ["attempt", "jobs.attempt"],
  ["retries", "jobs.retries"],
  ["error_code", "jobs.error_code"],
  ["error_message", "jobs.error_message"],
  ["created_at", "jobs.created_at"],
  ["started_at", "jobs.started_at"],
  ["finished_at", "jobs.finished_at"],
  ["version", "jobs.version"],
  ["rev", "jobs.rev"],
  ["due", "jobs.due"],
  ["held", "jobs.held"],
  ["token", "jobs.token"],
  ["details", "jobs.details"],
  ["trace", "jobs.trace"],
  ["priority", "jobs.priority"],
  ["rank", "jobs.rank"],
  ["key", "jobs.key"],
  ["starts_at", "jobs.starts_at"],
  ["expires_at", "jobs.expires_at"],
  ["max_attempts", "jobs.max_attempts"],
  ["expires", "jobs.expires"],
  ["schedule_id", "jobs.schedule_id"],
] as const;
const COLUMNS = SELECTED.map(([, column]) => column).join(", ");

/** In the order of `SELECTED`. */
type Values = SelectedValues<typeof SELECTED>;
type SelectedValues<Selected extends readonly (readonly [keyof JobRow, string])[]> = {
  [Index in keyof Selected]: JobRow[Selected[Index][0]];
};

/** By hand: `node:sqlite` makes dictionary-mode objects of rows, which double the cost of a read. */
function rowOf(values: Values): JobRow {
  return {
    n: values[0],
    id: values[1],
    owner_n: values[2],
    tenant: values[3],
    owner: values[4],
    tenant_n: values[5],
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
    details: values[25],
    trace: values[26],
    priority: values[27],
    rank: values[28],
    key: values[29],
    starts_at: values[30],
    expires_at: values[31],
    max_attempts: values[32],
    expires: values[33],
    schedule_id: values[34],
  };
}

export interface JobSelect {
  first(...parameters: SQLInputValue[]): JobRow | undefined;
  all(...parameters: SQLInputValue[]): JobRow[];
}

/** `which`: the part of the statement from `WHERE` on. */
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
  const summary: JobSummary = {
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
    priority: row.priority,
    maxAttempts: row.max_attempts,
    startsAt: dateOf(row.starts_at),
    expiresAt: dateOf(row.expires_at),
    scheduleId: row.schedule_id,
  } satisfies Record<Exclude<keyof JobSummary, "details">, unknown>;
  const details = readableDetails(row);
  if (details !== undefined) summary.details = details;
  return summary;
}

/** Damaged details count as none: they are no reason to hide a job, or not to run or end it. */
function readableDetails({ details }: JobRow): unknown {
  try {
    return detailsOfText(details);
  } catch {
    return undefined;
  }
}

/** Columns of the job's record. The others belong to its owner, its batch, its feed, the queue and its trace. */
type RecordColumn = Exclude<
  keyof JobRow,
  | "n"
  | "owner_n"
  | "tenant"
  | "owner"
  | "tenant_n"
  | "batch_n"
  | "batch_id"
  | "rev"
  | "due"
  | "held"
  | "token"
  | "trace"
  | "rank"
  | "key"
  | "expires"
>;

/** When a column of the record is written: at the job's creation alone, or with each change as well. */
const WRITTEN = {
  id: "creation",
  kind: "creation",
  title: "creation",
  status: "change",
  progress: "change",
  message: "change",
  attempt: "change",
  retries: "change",
  error_code: "change",
  error_message: "change",
  priority: "creation",
  max_attempts: "creation",
  schedule_id: "creation",
  created_at: "creation",
  starts_at: "change",
  expires_at: "change",
  started_at: "change",
  finished_at: "change",
  version: "change",
  details: "change",
} satisfies Record<RecordColumn, "creation" | "change">;

/** The columns that the creation of a job writes. */
export const CREATED_COLUMNS = keysOf(WRITTEN);
/** The columns that a change of a job writes. */
export const CHANGED_COLUMNS = CREATED_COLUMNS.filter((column) => WRITTEN[column] === "change");

/** The values of these columns of the record, in their order. */
export function valuesOfJob(job: JobSummary, columns: readonly RecordColumn[]): SQLInputValue[] {
  const values: Pick<JobRow, RecordColumn> = {
    id: job.id,
    kind: job.kind,
    title: job.title,
    status: job.status,
    progress: job.progress,
    message: job.message,
    attempt: job.attempt,
    retries: job.retries,
    error_code: job.error?.code ?? null,
    error_message: job.error?.message ?? null,
    priority: job.priority,
    max_attempts: job.maxAttempts,
    schedule_id: job.scheduleId,
    created_at: job.createdAt.getTime(),
    starts_at: job.startsAt?.getTime() ?? null,
    expires_at: job.expiresAt?.getTime() ?? null,
    started_at: job.startedAt?.getTime() ?? null,
    finished_at: job.finishedAt?.getTime() ?? null,
    version: job.version,
    details: textOfDetails(job.details),
  };
  return columns.map((column) => values[column]);
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}
