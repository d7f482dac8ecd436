/**
 * Gathers the log lines of an attempt into few commits. To write one neither waits nor fails. Lines beyond the pace are
 * counted and dropped, and a line in their place says how many; a flood of others leaves room for warnings and errors. Lines that
 * could not be stored are stored later.
 */
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import {
  LOG_LINES_A_SECOND,
  MAX_LINE_CHARS,
  MAX_LINES_AT_ONCE,
  RESERVED_LINES,
} from "#shared/limits.ts";
import type { LogLevel, NewLogLine } from "#shared/log-line.ts";

export interface LineWriter {
  write(level: LogLevel, message: string): void;
  /**
   * The last call: resolves when all lines are stored, and rejects with the reason if some could not be. These are lost, unless a
   * further call stores them.
   */
  flush(): Promise<void>;
}

export interface LineWriterOptions {
  append: (lines: readonly NewLogLine[]) => Promise<void>;
  now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  clock: () => number;
}

/** Lines reach watchers at this pace. */
const GATHER_MS = 200;
/** Pause before lines that could not be stored are stored again, even if no more follows. */
const AGAIN_MS = 1000;
/** Lines of one commit. */
const MAX_IN_COMMIT = 100;
/** After lines were dropped, this many are taken together: each of them alone would bring a line about dropped ones. */
const TAKEN_AGAIN = LOG_LINES_A_SECOND;
const RESERVED_FOR: ReadonlySet<LogLevel> = new Set(["warn", "error"]);

export function createLineWriter({ append, now, clock }: LineWriterOptions): LineWriter {
  let waiting: NewLogLine[] = [];
  /** Lines that may be written now, and further ones of these levels. */
  let room = MAX_LINES_AT_ONCE;
  let reserve = RESERVED_LINES;
  let refilledAt = clock();
  /** Lines are dropped until there is room for several. */
  let isDropping = false;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let commits: Promise<void> = Promise.resolve();
  /** Set by a refusal that is final: the attempt is over. */
  let ended = false;
  let flushed = false;

  function refill(): void {
    const at = clock();
    const fresh = ((at - refilledAt) * LOG_LINES_A_SECOND) / 1000;
    refilledAt = at;
    room = Math.min(MAX_LINES_AT_ONCE, room + fresh);
    reserve = Math.min(RESERVED_LINES, reserve + (fresh * RESERVED_LINES) / MAX_LINES_AT_ONCE);
  }

  /** Takes the room of a line. */
  function takeRoom(level: LogLevel): boolean {
    refill();
    isDropping = waiting.length >= MAX_LINES_AT_ONCE || room < (isDropping ? TAKEN_AGAIN : 1);
    if (!isDropping) {
      room -= 1;
      return true;
    }
    if (!RESERVED_FOR.has(level) || reserve < 1) return false;
    if (waiting.length >= MAX_LINES_AT_ONCE + 2 * RESERVED_LINES) return false;
    reserve -= 1;
    return true;
  }

  /** A line in place of those that were dropped. */
  function sayDropped(): void {
    if (dropped === 0) return;
    const lines = dropped === 1 ? "1 line was" : `${dropped.toLocaleString("en-US")} lines were`;
    const message = `${lines} dropped here: an attempt may log ${MAX_LINES_AT_ONCE} lines at once and ${LOG_LINES_A_SECOND} a second`;
    waiting.push({ at: now(), level: "warn", message });
    dropped = 0;
  }

  function commit(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    commits = commits.catch(() => {}).then(commitWaiting);
    // Only `flush` reports it.
    commits.catch(() => {});
    return commits;
  }

  /** Unless the attempt is over: then it is not stored again. */
  function commitIn(ms: number): void {
    if (flushed) return;
    timer ??= setTimeout(() => {
      commit().catch((error: unknown) => {
        if (isPassing(error)) commitIn(AGAIN_MS);
      });
    }, ms);
  }

  async function commitWaiting(): Promise<void> {
    while (waiting.length > 0 && !ended) {
      const part = waiting.slice(0, MAX_IN_COMMIT);
      try {
        await append(part);
      } catch (error) {
        ended = !isPassing(error);
        throw error;
      }
      waiting = waiting.slice(part.length);
    }
  }

  return {
    write(level, message) {
      if (ended) return;
      if (takeRoom(level)) {
        sayDropped();
        waiting.push({ at: now(), level, message: cutText(message, MAX_LINE_CHARS) });
      } else {
        dropped += 1;
      }
      commitIn(GATHER_MS);
    },
    flush() {
      flushed = true;
      sayDropped();
      return commit();
    },
  };
}

function isPassing(error: unknown): boolean {
  return error instanceof AppError && error.code === "UNAVAILABLE";
}
