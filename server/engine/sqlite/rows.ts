/** Codecs of the rows of events and batches. `job-rows.ts` has those of jobs. */
import type { Actor } from "#shared/actor.ts";
import type { BatchRecord } from "#shared/batch.ts";
import { allOf, type ValuesOf } from "#shared/all-of.ts";
import { eventOf, type JobEvent, type JobEventType, type LoggedField } from "#shared/events.ts";

/** `INSERT` with a placeholder for each column. */
export function insertInto(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
}

/** The assignments of an `UPDATE`, with a placeholder for each column. */
export function assign(columns: readonly string[]): string {
  return columns.map((column) => `${column} = ?`).join(", ");
}

export function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

interface EventRow {
  seq: number;
  at: number;
  attempt: number;
  type: JobEventType;
  progress: number;
  message: string;
  /** Both as JSON. */
  actor: string | null;
  details: string | null;
}

/** The columns of an event. Its job is another column, and its status follows from its type. */
export const EVENT_COLUMNS = allOf<Exclude<LoggedField, "jobId" | "status">>()(
  "seq",
  "at",
  "attempt",
  "type",
  "progress",
  "message",
  "actor",
  "details",
);
/** A row in the order of `EVENT_COLUMNS`. Arrays cost less than the objects that `node:sqlite` makes of rows. */
export type EventValues = ValuesOf<EventRow, typeof EVENT_COLUMNS>;

export function valuesOfEvent(event: JobEvent): EventValues {
  const { seq, at, attempt, type, progress, message, actor, details } = event;
  const by = actor === undefined ? null : JSON.stringify(actor);
  return [seq, at.getTime(), attempt, type, progress, message, by, textOfDetails(details)];
}

export function eventOfValues(jobId: string, values: EventValues): JobEvent {
  const [seq, at, attempt, type, progress, message, by, text] = values;
  const actor = by === null ? undefined : (JSON.parse(by) as Actor);
  const details = detailsOfText(text);
  return eventOf(type, {
    jobId,
    seq,
    at: new Date(at),
    attempt,
    progress,
    message,
    details,
    actor,
  });
}

/** The column of a job's and an event's details. `null` where there are none. */
export function textOfDetails(details: unknown): string | null {
  return details === undefined ? null : JSON.stringify(details);
}

export function detailsOfText(text: string | null): unknown {
  return text === null ? undefined : (JSON.parse(text) as unknown);
}

/** `SELECT ${BATCH_COLUMNS} FROM ${BATCH_TABLES}` gives `BatchRow`s. */
export const BATCH_COLUMNS = `
  batches.n, batches.id, owners.tenant, owners.owner, batches.name, batches.pending, batches.processing,
  batches.delivered, batches.blocked, batches.aborted, batches.version, batches.created_at, batches.updated_at`;
export const BATCH_TABLES = "batches JOIN owners ON owners.n = batches.owner_n";

export interface BatchRow {
  n: number;
  id: string;
  tenant: string;
  owner: string;
  name: string | null;
  pending: number;
  processing: number;
  delivered: number;
  blocked: number;
  aborted: number;
  version: number;
  created_at: number;
  updated_at: number;
}

/** Columns of the batch's record. The others belong to its owner. */
type BatchRecordColumn = Exclude<keyof BatchRow, "n" | "tenant" | "owner">;

/** When a column of the record is written: at the batch's creation alone, or with each change as well. */
const BATCH_WRITTEN = {
  id: "creation",
  name: "creation",
  pending: "change",
  processing: "change",
  delivered: "change",
  blocked: "change",
  aborted: "change",
  version: "change",
  created_at: "creation",
  updated_at: "change",
} satisfies Record<BatchRecordColumn, "creation" | "change">;

export const CREATED_BATCH_COLUMNS = keysOf(BATCH_WRITTEN);
export const CHANGED_BATCH_COLUMNS = CREATED_BATCH_COLUMNS.filter(
  (column) => BATCH_WRITTEN[column] === "change",
);

/** The values of these columns of the record, in their order. */
export function valuesOfBatch(
  { id, name, counts, version, createdAt, updatedAt }: BatchRecord,
  columns: readonly BatchRecordColumn[],
): (string | number | null)[] {
  const values: Pick<BatchRow, BatchRecordColumn> = {
    id,
    name,
    pending: counts.PENDING,
    processing: counts.PROCESSING,
    delivered: counts.DELIVERED,
    blocked: counts.BLOCKED,
    aborted: counts.ABORTED,
    version,
    created_at: createdAt.getTime(),
    updated_at: updatedAt.getTime(),
  };
  return columns.map((column) => values[column]);
}

export function batchOfRow(row: BatchRow): BatchRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    owner: row.owner,
    name: row.name,
    counts: {
      PENDING: row.pending,
      PROCESSING: row.processing,
      DELIVERED: row.delivered,
      BLOCKED: row.blocked,
      ABORTED: row.aborted,
    },
    version: row.version,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  } satisfies Record<keyof BatchRecord, unknown>;
}
