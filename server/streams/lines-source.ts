/** The log lines of a job as a stream of frames: a position is the `seq` of a line, and the newest of a frame is its own. */
import type { Engine, LineSlice } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { isSettled } from "#shared/job.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import type { LogFrame, LogLine } from "#shared/log-line.ts";
import type { Entry, Slice, Source } from "./source.ts";

/** Lines of one frame. */
const MAX_LINES = 100;

export function createLinesSource(
  engine: Pick<Engine, "readLines">,
  jobId: string,
): Source<LogFrame> {
  const read = async (after: number): Promise<Slice<LogFrame>> => {
    const slice = await engine.readLines(jobId, after, MAX_LOG_LINES);
    if (slice === undefined) throw new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
    return framed(jobId, slice);
  };
  return {
    ref: { stream: "lines", jobId },
    sharesEntries: false,
    foldBeyond: 0,
    minIntervalMs: 0,
    weigh: ({ lines }) => lines.length,
    current: () => read(0),
    read,
    fromHint: () => undefined,
    fold: (older, newer) => {
      const lines = [...older.value.lines, ...newer.value.lines];
      return lines.length > MAX_LINES
        ? undefined
        : { pos: newer.pos, value: { ...older.value, lines } };
    },
    markGap({ entries, head }) {
      const [first = { pos: head, value: { jobId, lines: [] } }, ...others] = entries;
      return [{ pos: first.pos, value: { ...first.value, gap: true } }, ...others];
    },
  };
}

function framed(jobId: string, { lines, head, status }: LineSlice): Slice<LogFrame> {
  const entries: Entry<LogFrame>[] = [];
  for (let from = 0; from < lines.length; from += MAX_LINES) {
    const part = lines.slice(from, from + MAX_LINES);
    const newest = part.at(-1) as LogLine;
    entries.push({ pos: newest.seq, value: { jobId, lines: part } });
  }
  return { entries, head, ended: isSettled(status) };
}
