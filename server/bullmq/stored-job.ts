/** Reads jobs from BullMQ's hashes, of which any field can be of any size: measured first, and read within bounds. */
import type { Redis } from "ioredis";
import { MAX_ERROR_CHARS, MAX_INPUT_BYTES, MAX_OUTPUT_BYTES } from "#shared/limits.ts";
import { answersOf } from "./answers.ts";
import { jsonOf, numberOf, tooLarge } from "./bounded-values.ts";
import type { QueueKeys } from "./queue-keys.ts";

/** A job as BullMQ stores it. */
export interface StoredJob {
  name: string;
  /** When it was added, in ms. Absent: it is not known. */
  timestamp: number | undefined;
  /** Absent where it was not asked for. */
  data: unknown;
  returnvalue: unknown;
  progress: unknown;
  failedReason: string | undefined;
  attempts: number;
  attemptsMade: number;
  stalled: number;
  /** In ms: for this long after its timestamp, or after it failed, it waits. */
  delay: number;
  priority: number;
  processedOn: number | undefined;
  finishedOn: number | undefined;
  worker: string | undefined;
  /** The key of its parent, with that of the parent's queue. */
  parent: string | undefined;
  /** The scheduler that made it. */
  scheduler: string | undefined;
  /** How many log lines it keeps. Absent: all of them. */
  keepLogs: number | undefined;
}

const SHORT_BYTES = 1000;
/** In bytes. A field beyond it is not read. */
const LIMITS = {
  name: 4 * SHORT_BYTES,
  data: MAX_INPUT_BYTES,
  returnvalue: MAX_OUTPUT_BYTES,
  progress: 4 * SHORT_BYTES,
  failedReason: 4 * MAX_ERROR_CHARS,
  opts: 64 * 1024,
  pb: SHORT_BYTES,
  rjk: SHORT_BYTES,
  parentKey: SHORT_BYTES,
} as const;
type Measured = keyof typeof LIMITS;
const MEASURED = Object.keys(LIMITS) as Measured[];
/** Numbers, as BullMQ writes them. */
const NUMBERS = [
  "timestamp",
  "delay",
  "priority",
  "atm",
  "stc",
  "processedOn",
  "finishedOn",
] as const;
const NUMBER_BYTES = 40;
type Field = Measured | (typeof NUMBERS)[number];

/** `payload`: also reads what only new and finished jobs are asked for, which may be large. */
export async function readStoredJobs(
  redis: Redis,
  keys: QueueKeys,
  ids: readonly string[],
  payload: (id: string) => boolean,
): Promise<Map<string, StoredJob>> {
  const all = [...MEASURED, ...NUMBERS];
  const measure = redis.pipeline();
  for (const id of ids) for (const field of all) measure.hstrlen(keys.job(id), field);
  const sizes = await answersOf<number>(measure.exec());
  const read = redis.pipeline();
  const asked = ids.map((id, index) => {
    const own = new Map(all.map((field, at) => [field, sizes[index * all.length + at] ?? 0]));
    const fields = all.filter((field) => {
      if (!payload(id) && (field === "data" || field === "returnvalue")) return false;
      const limit = field in LIMITS ? LIMITS[field as Measured] : NUMBER_BYTES;
      return (own.get(field) ?? 0) <= limit;
    });
    read.hmget(keys.job(id), ...fields);
    return { id, own, fields };
  });
  const rows = await answersOf<(string | null)[]>(read.exec());
  const found = new Map<string, StoredJob>();
  for (const [index, { id, own, fields }] of asked.entries()) {
    const row = rows[index] ?? [];
    const texts = new Map(fields.map((field, at) => [field, row[at] ?? undefined]));
    // A hash without a timestamp is none of a job.
    if (texts.get("timestamp") === undefined) continue;
    found.set(id, storedJob(texts, own));
  }
  return found;
}

function storedJob(
  texts: ReadonlyMap<Field, string | undefined>,
  sizes: ReadonlyMap<Field, number>,
): StoredJob {
  const number = (field: Field) => numberOf(texts.get(field));
  const value = (field: Measured) => {
    const text = texts.get(field);
    if (text !== undefined) return jsonOf(text, LIMITS[field]);
    const size = sizes.get(field) ?? 0;
    return size > LIMITS[field] ? tooLarge(size, LIMITS[field]) : undefined;
  };
  const opts = value("opts");
  const option = (name: string) => {
    const given =
      typeof opts === "object" && opts !== null ? (opts as Record<string, unknown>)[name] : 0;
    return typeof given === "number" && given > 0 ? Math.floor(given) : undefined;
  };
  return {
    name: texts.get("name") ?? "",
    timestamp: number("timestamp"),
    data: value("data"),
    returnvalue: value("returnvalue"),
    progress: value("progress"),
    failedReason: texts.get("failedReason"),
    attempts: option("attempts") ?? 1,
    attemptsMade: number("atm") ?? 0,
    stalled: number("stc") ?? 0,
    delay: number("delay") ?? 0,
    priority: number("priority") ?? 0,
    processedOn: number("processedOn"),
    finishedOn: number("finishedOn"),
    worker: texts.get("pb"),
    parent: texts.get("parentKey"),
    scheduler: texts.get("rjk"),
    keepLogs: option("kl"),
  };
}
