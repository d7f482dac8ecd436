/** Encodes records and events for storage: JSON, with times in milliseconds. */
import type { Actor } from "#shared/actor.ts";
import { type BatchRecord, emptyCounts } from "#shared/batch.ts";
import { allOf, type ValuesOf } from "#shared/all-of.ts";
import { eventOf, type JobEvent, type LoggedField } from "#shared/events.ts";
import type { JobPayload, JobStatus, JobSummary } from "#shared/job.ts";
import type { LogLevel, LogLine, NewLogLine } from "#shared/log-line.ts";
import type { DraftPiece, NewBatch } from "#server/engine/contract.ts";

/** Stored without field names: they were half of its bytes, and each change of a job writes its record. */
const SUMMARY_FIELDS = allOf<keyof JobSummary>()(
  "id",
  "kind",
  "title",
  "tenant",
  "owner",
  "status",
  "progress",
  "message",
  "attempt",
  "retries",
  "batchId",
  "error",
  "createdAt",
  "startedAt",
  "finishedAt",
  "version",
  "details",
  "priority",
  "maxAttempts",
  "startsAt",
  "expiresAt",
  "scheduleId",
);
/** `details`: a list, empty where there are none. */
type StoredSummary = ValuesOf<
  Omit<InJson<JobSummary>, "details"> & { details: unknown[] },
  typeof SUMMARY_FIELDS
>;
type StoredBase = Without6Last<StoredSummary>;
/** Records without options, as all were before there were any. Those without details end before them. */
type StoredWithoutOptions = [...StoredBase, details?: unknown];
type Without6Last<List extends readonly unknown[]> = WithoutLast<
  WithoutLast<WithoutLast<WithoutLast<WithoutLast<WithoutLast<List>>>>>
>;
type WithoutLast<List extends readonly unknown[]> = List extends readonly [...infer Others, unknown]
  ? Others
  : never;

/** A record with its dates in milliseconds. */
type InJson<Record> = {
  [Field in keyof Record]: Record[Field] extends Date
    ? number
    : Record[Field] extends Date | null
      ? number | null
      : Record[Field];
};

/** The format of version 1 of the data. */
type NamedSummary = Omit<JobSummary, keyof typeof NO_OPTIONS | keyof ReturnType<typeof timesOf>> & {
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
};

export function encodeSummary(job: JobSummary): string {
  const stored: StoredBase = [
    job.id,
    job.kind,
    job.title,
    job.tenant,
    job.owner,
    job.status,
    job.progress,
    job.message,
    job.attempt,
    job.retries,
    job.batchId,
    job.error,
    job.createdAt.getTime(),
    job.startedAt?.getTime() ?? null,
    job.finishedAt?.getTime() ?? null,
    job.version,
  ];
  const { details, priority, maxAttempts, startsAt, expiresAt, scheduleId } = job;
  const options = [
    priority,
    maxAttempts,
    startsAt?.getTime() ?? null,
    expiresAt?.getTime() ?? null,
    scheduleId,
  ] as const;
  if (options.some((option) => option !== null && option !== 0)) {
    const listed = details === undefined ? [] : [details];
    return JSON.stringify([...stored, listed, ...options] satisfies StoredSummary);
  }
  return JSON.stringify(details === undefined ? stored : [...stored, details]);
}

/** Of records without them. */
const NO_OPTIONS: Pick<
  JobSummary,
  "priority" | "maxAttempts" | "startsAt" | "expiresAt" | "scheduleId"
> = {
  priority: 0,
  maxAttempts: null,
  startsAt: null,
  expiresAt: null,
  scheduleId: null,
};

export function decodeSummary(text: string): JobSummary {
  const stored = JSON.parse(text) as StoredSummary | StoredWithoutOptions | NamedSummary;
  if (!Array.isArray(stored)) {
    const { createdAt, startedAt, finishedAt } = stored;
    return { ...stored, ...NO_OPTIONS, ...timesOf(createdAt, startedAt, finishedAt) };
  }
  const summary: JobSummary = {
    id: stored[0],
    kind: stored[1],
    title: stored[2],
    tenant: stored[3],
    owner: stored[4],
    status: stored[5],
    progress: stored[6],
    message: stored[7],
    attempt: stored[8],
    retries: stored[9],
    batchId: stored[10],
    error: stored[11],
    ...timesOf(stored[12], stored[13], stored[14]),
    version: stored[15],
    ...optionsOf(stored),
  } satisfies Record<Exclude<keyof JobSummary, "details">, unknown>;
  const details = hasOptions(stored) ? stored[16][0] : stored[16];
  if (details !== undefined) summary.details = details;
  return summary;
}

function hasOptions(stored: StoredSummary | StoredWithoutOptions): stored is StoredSummary {
  return stored.length > 17;
}

function optionsOf(stored: StoredSummary | StoredWithoutOptions): typeof NO_OPTIONS {
  if (!hasOptions(stored)) return NO_OPTIONS;
  const [priority, maxAttempts] = [stored[17], stored[18]];
  const [startsAt, expiresAt] = [dateOf(stored[19]), dateOf(stored[20])];
  // Version 5 of the data has none.
  return { priority, maxAttempts, startsAt, expiresAt, scheduleId: stored[21] ?? null };
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}

function timesOf(createdAt: number, startedAt: number | null, finishedAt: number | null) {
  return {
    createdAt: new Date(createdAt),
    startedAt: dateOf(startedAt),
    finishedAt: dateOf(finishedAt),
  };
}

/** Decodes the fields of a job that its summary omits. `output` is `null` until the job has one. */
export function payloadOf(input: string | null, output: string | null): JobPayload {
  return {
    input: JSON.parse(input ?? "null") as unknown,
    output: JSON.parse(output ?? "null") as unknown,
  } satisfies Record<keyof JobPayload, unknown>;
}

const EVENT_FIELDS = allOf<Exclude<LoggedField, "jobId">>()(
  "seq",
  "at",
  "attempt",
  "type",
  "status",
  "progress",
  "message",
  "actor",
  "details",
);
type StoredEvent = ValuesOf<StoredValues, typeof EVENT_FIELDS>;
type StoredValues = Omit<InJson<JobEvent>, "actor"> & { actor: Actor | null };
/** Events without details end before them, and those without an actor before it, as all did when there was neither. */
type StoredWithActor = WithoutLast<StoredEvent>;

export function encodeEvent(event: JobEvent): string {
  const { seq, at, attempt, type, status, progress, message, actor, details } = event;
  const stored: WithoutLast<StoredWithActor> = [
    seq,
    at.getTime(),
    attempt,
    type,
    status,
    progress,
    message,
  ];
  if (details !== undefined) {
    return JSON.stringify([...stored, actor ?? null, details] satisfies StoredEvent);
  }
  return JSON.stringify(
    actor === undefined ? stored : ([...stored, actor] satisfies StoredWithActor),
  );
}

/** The status follows from the type. It is stored because older versions read it. */
export function decodeEvent(jobId: string, text: string): JobEvent {
  const [seq, time, attempt, type, , progress, message, by, details] = JSON.parse(
    text,
  ) as StoredEvent;
  const [at, actor] = [new Date(time), by ?? undefined];
  return eventOf(type, { jobId, seq, at, attempt, progress, message, details, actor });
}

/** `append-draft.lua` writes this format too. */
type StoredPiece = [attempt: number, offset: number, text: string];

export function encodePiece({ attempt, offset, text }: DraftPiece): string {
  return JSON.stringify([attempt, offset, text] satisfies StoredPiece);
}

export function decodePiece(seq: number, json: string): DraftPiece {
  const [attempt, offset, text] = JSON.parse(json) as StoredPiece;
  return { seq, attempt, offset, text };
}

type StoredLine = [attempt: number, at: number, level: LogLevel, message: string];

/** `append-lines.lua` puts the attempt in front. */
export function encodeNewLine({ at, level, message }: NewLogLine): string {
  return JSON.stringify([at.getTime(), level, message]).slice(1);
}

export function encodeLine(line: LogLine): string {
  return `[${line.attempt},${encodeNewLine(line)}`;
}

export function decodeLine(seq: number, json: string): LogLine {
  const [attempt, at, level, message] = JSON.parse(json) as StoredLine;
  return { seq, at: new Date(at), attempt, level, message };
}

/** The constant fields of a batch. Scripts update its counts, version and time, which are fields of the hash. */
type StoredBatch = Pick<BatchRecord, "id" | "tenant" | "owner" | "name"> & { createdAt: number };

export function encodeBatch({ id, tenant, owner, name }: NewBatch, at: Date): string {
  return JSON.stringify({ id, tenant, owner, name, createdAt: at.getTime() } satisfies StoredBatch);
}

/** Takes the fields of the hash. Returns `undefined` when there is no such batch. */
export function decodeBatch(fields: Record<string, string>): BatchRecord | undefined {
  if (fields.b === undefined) return undefined;
  const stored = JSON.parse(fields.b) as StoredBatch;
  const counts = emptyCounts();
  for (const status of Object.keys(counts) as JobStatus[]) {
    counts[status] = Number(fields[status] ?? 0);
  }
  return {
    ...stored,
    counts,
    version: Number(fields.v),
    createdAt: new Date(stored.createdAt),
    updatedAt: new Date(Number(fields.updated)),
  } satisfies Record<keyof BatchRecord, unknown>;
}

/** Takes field names and values in turn, the form in which scripts return HGETALL. */
export function fieldsOf(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(inPairs(flat));
}

/** Redis returns pairs as one flat list. */
export function inPairs<T>(flat: readonly T[]): [T, T][] {
  const pairs: [T, T][] = [];
  for (let index = 0; index < flat.length; index += 2) {
    pairs.push([flat[index] as T, flat[index + 1] as T]);
  }
  return pairs;
}
