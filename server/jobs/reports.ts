/**
 * The reports of a kind's code while it runs: progress, pieces of its draft, and log lines. The code may pass any value,
 * call at any time, and not await the answers. A faulty call ends the attempt.
 */
import { type AnyKind, Failure } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import { wholePercent } from "#shared/job-fields.ts";
import { cutText, inBytes } from "#shared/cut-text.ts";
import { LOG_LEVELS, type LogLevel, type NewLogLine } from "#shared/log-line.ts";
import {
  MAX_ATTEMPT_DETAILS,
  MAX_JOB_EVENTS,
  MAX_MESSAGE_CHARS,
  MAX_UNFINISHED_REPORTS,
} from "#shared/limits.ts";
import { checkedDetails } from "./details.ts";
import { createDraftWriter } from "./draft-writer.ts";
import { runOwn } from "./foreign-code.ts";
import { createLineWriter } from "./line-writer.ts";

export interface Reports {
  progress(percent: unknown, message: unknown, details?: unknown): Promise<void>;
  draft(text: unknown): Promise<void>;
  /** Throws a `TypeError` for arguments of other types. Ignored when closed. */
  log(level: unknown, message: unknown): void;
  /**
   * Resolves when everything written is stored, and refuses all later calls. Rejects when the draft cannot be stored; log lines
   * that cannot be are lost.
   */
  close(): Promise<void>;
}

interface ReportsOptions {
  kind: Pick<AnyKind, "name" | "details">;
  jobId: string;
  /** Events that the job has. */
  events: number;
  store: {
    progress(percent: number, message: string, details: unknown): Promise<unknown>;
    draft(text: string): Promise<unknown>;
    lines(lines: readonly NewLogLine[]): Promise<void>;
  };
  now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  clock: () => number;
  /** Called with the reason why the last log lines could not be stored. */
  onLinesLost: (reason: unknown) => void;
  /** Ends the attempt with this error. May be called more than once. */
  end: (reason: unknown) => void;
}

export function openReports(options: ReportsOptions): Reports {
  const { kind, jobId, events, store, now, clock, end } = options;
  const draft = createDraftWriter(store.draft, { onFull: end });
  const lines = createLineWriter({ append: store.lines, now, clock });
  let closed = false;
  let logged = events;
  /** Bytes of the newest details, and of those in all events of the attempt so far. */
  let [newest, carried] = [0, 0];
  let unfinished = 0;

  function refuse(reason: unknown): Promise<never> {
    end(reason);
    return refusal(reason);
  }

  async function report(percent: number, message: string, details: unknown): Promise<void> {
    unfinished += 1;
    try {
      await store.progress(percent, message, details);
    } finally {
      unfinished -= 1;
    }
  }

  function progress(percent: unknown, message: unknown, given: Given): Promise<void> {
    if (closed) return refusal(isOver(jobId));
    if (typeof percent !== "number") return refuse(notOf("progress", "a number", percent));
    if (typeof message !== "string") return refuse(notOf("progress", "text", message));
    if (!given.ok) return refuse(given.error);
    if (unfinished >= MAX_UNFINISHED_REPORTS) return refuse(tooMany());
    if (logged >= MAX_JOB_EVENTS) return refuse(tooLong());
    if (given.details !== undefined) newest = Buffer.byteLength(JSON.stringify(given.details));
    if (carried + newest > MAX_ATTEMPT_DETAILS) return refuse(tooMuch());
    carried += newest;
    logged += 1;
    const answer = report(
      wholePercent(percent),
      cutText(message, MAX_MESSAGE_CHARS),
      given.details,
    );
    answer.catch(() => {});
    return answer;
  }

  function write(text: unknown): Promise<void> {
    if (closed) return refusal(isOver(jobId));
    if (typeof text !== "string") return refuse(notOf("draft", "text", text));
    return draft.write(text);
  }

  return {
    progress(percent, message, details) {
      // In the scope of the caller: the schema is its kind's code, and so is what a value runs when it is read.
      const given = closed ? NONE : read(kind, details);
      return runOwn(() => progress(percent, message, given));
    },
    draft: (text) => runOwn(() => write(text)),
    log(level, message) {
      if (closed) return;
      if (!isLevel(level)) throw notOf("log", `a level (${LOG_LEVELS.join(", ")})`, level);
      if (typeof message !== "string") throw notOf("log", "text", message);
      runOwn(() => lines.write(level, message));
    },
    async close() {
      closed = true;
      const logged = lines.flush().catch(options.onLinesLost);
      try {
        await draft.flush();
      } finally {
        // Also where the draft cannot be stored: the end of the attempt follows, and no line may come after it.
        await logged;
      }
    },
  };
}

/** The details of a call, or why they are refused. */
type Given = { ok: true; details: unknown } | { ok: false; error: unknown };

const NONE: Given = { ok: true, details: undefined };

function read(kind: ReportsOptions["kind"], details: unknown): Given {
  if (details === undefined) return NONE;
  try {
    return { ok: true, details: checkedDetails(kind, details) };
  } catch (error) {
    return { ok: false, error };
  }
}

/** A rejection that the code does not await must not end the process. */
function refusal(reason: unknown): Promise<never> {
  const answer = Promise.reject(reason);
  answer.catch(() => {});
  return answer;
}

function isLevel(level: unknown): level is LogLevel {
  return LOG_LEVELS.some((each) => each === level);
}

function notOf(call: "progress" | "draft" | "log", wanted: string, given: unknown): Error {
  const is = given === null ? "null" : typeof given;
  return new TypeError(`\`${call}\` takes ${wanted}, but was given ${is}`);
}

function tooMany(): Failure {
  const limit = MAX_UNFINISHED_REPORTS.toLocaleString("en-US");
  return new Failure(
    "TOO_MANY_REPORTS",
    `${limit} calls of \`progress\` wait to be stored, which is the limit. Await each call`,
  );
}

function tooLong(): Failure {
  const limit = MAX_JOB_EVENTS.toLocaleString("en-US");
  return new Failure(
    "TOO_MANY_EVENTS",
    `The job's log has ${limit} events, which is the limit. Report less often`,
  );
}

function tooMuch(): Failure {
  return new Failure(
    "DETAILS_TOO_LARGE",
    `The events of this attempt have ${inBytes(MAX_ATTEMPT_DETAILS)} of details, which is the limit, as each event carries the newest ones. Report less often, or smaller details`,
  );
}

function isOver(jobId: string): AppError {
  return new AppError(
    "CLAIM_LOST",
    `This attempt at job ${jobId} is over: nothing can be reported any more. Stop working on it.`,
  );
}
