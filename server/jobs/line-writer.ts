/**
 * Gathers the log lines of an attempt into few commits. To write one neither waits nor fails. Lines beyond the pace are
 * counted and dropped, and a line in their place says how many. Lines that could not be stored are stored with later ones.
 */
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import { LOG_LINES_A_SECOND, MAX_LINE_CHARS, MAX_LINES_AT_ONCE } from "#shared/limits.ts";
import type { LogLevel, NewLogLine } from "#shared/log-line.ts";

export interface LineWriter {
  write(level: LogLevel, message: string): void;
  /** Resolves when all lines are stored; rejects with the reason if some could not be, which are lost then. */
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
/** Lines of one commit. */
const MAX_IN_COMMIT = 100;
/** After lines were dropped, this many are taken together: each of them alone would bring a line about dropped ones. */
const TAKEN_AGAIN = LOG_LINES_A_SECOND;

export function createLineWriter({ append, now, clock }: LineWriterOptions): LineWriter {
  let waiting: NewLogLine[] = [];
  /** Lines that may be written now. */
  let room = MAX_LINES_AT_ONCE;
  let refilledAt = clock();
  /** Lines are dropped until there is room for several. */
  let isDropping = false;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let commits: Promise<void> = Promise.resolve();
  /** Set by a refusal that is final: the attempt is over. */
  let ended = false;

  function hasRoom(): boolean {
    const at = clock();
    const refilled = room + ((at - refilledAt) * LOG_LINES_A_SECOND) / 1000;
    room = Math.min(MAX_LINES_AT_ONCE, refilled);
    refilledAt = at;
    isDropping = waiting.length >= MAX_LINES_AT_ONCE || room < (isDropping ? TAKEN_AGAIN : 1);
    return !isDropping;
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
      if (hasRoom()) {
        sayDropped();
        room -= 1;
        waiting.push({ at: now(), level, message: cutText(message, MAX_LINE_CHARS) });
      } else {
        dropped += 1;
      }
      timer ??= setTimeout(() => void commit(), GATHER_MS);
    },
    flush() {
      sayDropped();
      return commit();
    },
  };
}

function isPassing(error: unknown): boolean {
  return error instanceof AppError && error.code === "UNAVAILABLE";
}
