/** The lines that a kind writes to its job, for people: no events, so they change nothing. */
import { MAX_LOG_LINES } from "./limits.ts";

/** From the least to the most important. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A line before it is stored. */
export interface NewLogLine {
  at: Date;
  level: LogLevel;
  /** At most `MAX_LINE_CHARS`; it may have several lines itself. */
  message: string;
}

export interface LogLine extends NewLogLine {
  /** 1, 2, 3 … for each job, over all attempts. The oldest lines beyond `MAX_LOG_LINES` are deleted, so it may begin later. */
  seq: number;
  attempt: number;
}

/** Lines that a watcher receives together. They follow those of earlier frames; `gap`: they replace them. */
export interface LogFrame {
  jobId: string;
  lines: LogLine[];
  gap?: true | undefined;
}

/** The known lines, and those of newer frames: the newest `MAX_LOG_LINES` of them. */
export function applyLogFrames(
  known: readonly LogLine[],
  frames: readonly LogFrame[],
): readonly LogLine[] {
  let lines = known;
  for (const frame of frames) {
    const before = frame.gap === true ? [] : lines;
    const newest = before.at(-1)?.seq ?? 0;
    const fresh = frame.lines.filter(({ seq }) => seq > newest);
    lines = fresh.length === 0 ? before : [...before, ...fresh];
  }
  return lines.length > MAX_LOG_LINES ? lines.slice(-MAX_LOG_LINES) : lines;
}
