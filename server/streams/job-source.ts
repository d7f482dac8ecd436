/** The log of a job as a stream: a position is an event's `seq`. */
import type { Engine } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
import { weightOf } from "./kept-details.ts";
import type { Entry, Slice, Source } from "./source.ts";

/** A watch that is further behind gets `progress` events folded. A reader that keeps up is never so far behind. */
const FOLD_BEYOND = 64;

const entryOf = (event: JobEvent): Entry<JobEvent> => ({ pos: event.seq, value: event });

export function createJobSource(
  engine: Pick<Engine, "readEvents">,
  jobId: string,
): Source<JobEvent> {
  const read = async (after: number, limit: number): Promise<Slice<JobEvent>> => {
    const slice = await engine.readEvents(jobId, after, limit);
    if (slice === undefined) throw new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
    return {
      entries: slice.events.map(entryOf),
      head: slice.newest.seq,
      ended: isSettled(slice.newest.status),
    };
  };
  return {
    ref: { stream: "job", jobId },
    sharesEntries: true,
    foldBeyond: FOLD_BEYOND,
    minIntervalMs: 0,
    weigh: ({ details }) => weightOf(details),
    timeOf: ({ at }) => at,
    read,
    async current() {
      const slice = await engine.readEvents(jobId, Number.MAX_SAFE_INTEGER, 1);
      if (slice === undefined) throw new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
      return single(slice.newest);
    },
    fromHint: ({ event }) => (event === undefined ? undefined : single(event)),
    fold: (older, newer) => {
      if (older.value.type !== "progress") return undefined;
      const skipped = (older.value.skipped ?? 0) + 1 + (newer.value.skipped ?? 0);
      const { gap } = older.value;
      return { pos: newer.pos, value: { ...newer.value, skipped, ...(gap && { gap }) } };
    },
    markGap: ({ entries }) =>
      entries.map(({ pos, value }) => ({ pos, value: { ...value, gap: true } })),
  };
}

function single(event: JobEvent): Slice<JobEvent> {
  return { entries: [entryOf(event)], head: event.seq, ended: isSettled(event.status) };
}
