/**
 * All jobs of an owner or a tenant as a stream of their newest states: a position is a `rev`. The engine returns each
 * changed job once, so a reader that was away gets one entry for each job, however often the job changed.
 */
import type { Engine, FeedSlice } from "#server/engine/contract.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { OwnerFilter } from "#shared/principal.ts";
import { weightOf } from "./kept-details.ts";
import type { Slice, Source } from "./source.ts";

/** Ten reads a second at most. */
const MIN_INTERVAL_MS = 100;
/** The current state is this many of the jobs that changed last: the first screen of a list. */
const CURRENT = 50;

export function createFeedSource(
  engine: Pick<Engine, "readFeed">,
  of: OwnerFilter,
): Source<FeedEntry> {
  return {
    ref: { stream: "feed", of: { tenant: of.tenant, owner: of.owner } },
    sharesEntries: true,
    foldBeyond: Number.POSITIVE_INFINITY,
    minIntervalMs: MIN_INTERVAL_MS,
    weigh: ({ job }) => weightOf(job?.details),
    async current() {
      const { head } = await engine.readFeed(of, Number.MAX_SAFE_INTEGER, 1);
      // One busy job can hold many of the newest positions: read further back until there are enough jobs.
      for (let window = CURRENT; ; window *= 4) {
        const after = Math.max(0, head - window);
        const slice = sliceOf(await engine.readFeed(of, after, window + CURRENT));
        if (slice.entries.length >= CURRENT || after === 0) {
          return { ...slice, entries: slice.entries.slice(-CURRENT) };
        }
      }
    },
    read: async (after, limit) => sliceOf(await engine.readFeed(of, after, limit)),
    fromHint: () => undefined,
    fold: () => undefined,
    markGap: ({ entries, head }) =>
      entries.length === 0
        ? [{ pos: head, value: { rev: head, job: null, gap: true } }]
        : entries.map(({ pos, value }) => ({ pos, value: { ...value, gap: true } })),
  };
}

function sliceOf({ changes, head }: FeedSlice): Slice<FeedEntry> {
  const entries = changes.map(({ rev, job }) => ({ pos: rev, value: { rev, job } }));
  return { entries, head, ended: false };
}
