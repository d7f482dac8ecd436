/** The arguments of the scripts that store new jobs (`create.lua`, `stage-jobs.lua`). */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expiryOf, firstDelayOf } from "#server/engine/job-change.ts";
import { toJson } from "#server/engine/payload.ts";
import { type Job, summaryOf } from "#shared/job.ts";
import { createdJob, type NewJob } from "#shared/lifecycle.ts";
import { encodeEvent, encodeSummary } from "./records.ts";
import { STEP } from "./staged-batches.ts";

/** Jobs that one script stores. */
export interface Rows {
  created: readonly Created[];
  args: readonly string[];
  /** Of their inputs, and of the outputs that they do not have yet. */
  bytes: number;
}

type Created = ReturnType<typeof createdJob>;

/** A longer one is a script of its own: Redis reads and stores so much within some milliseconds. */
const MOST_BYTES = 1024 * 1024;
/** An output that is not there yet. */
const NO_OUTPUT = "null";

/** Divides jobs into what one script stores each. Other work of the process comes between. */
export async function encodeRows(jobs: readonly NewJob[], at: Date): Promise<Rows[]> {
  const all: Rows[] = [];
  for (let from = 0; from < jobs.length;) {
    if (from > 0) await nextTurn();
    const rows = encodeSome(jobs, from, at);
    all.push(rows);
    from += rows.created.length;
  }
  return all;
}

function encodeSome(jobs: readonly NewJob[], from: number, at: Date): Rows {
  const created: Created[] = [];
  const args: string[] = [];
  let bytes = 0;
  for (const fresh of jobs.slice(from, from + STEP)) {
    const each = createdJob(fresh, at);
    const input = toJson(each.job.input, fresh.id, "input");
    created.push(each);
    args.push(...rowOf(each, fresh, input));
    bytes += Buffer.byteLength(input) + NO_OUTPUT.length;
    if (bytes > MOST_BYTES) break;
  }
  return { created, args, bytes };
}

/** The arguments for one job. */
function rowOf(
  { job, event }: { job: Job; event: Created["event"] },
  { trace = "", key }: NewJob,
  input: string,
): string[] {
  const { id, kind, priority, createdAt } = job;
  return [
    id,
    kind,
    encodeSummary(summaryOf(job)),
    input,
    encodeEvent(event),
    `${priority}`,
    trace,
    `${firstDelayOf(job, createdAt) ?? ""}`,
    `${expiryOf(job, createdAt) ?? ""}`,
    key === undefined ? "" : `=${key}`,
    job.scheduleId ?? "",
  ];
}
