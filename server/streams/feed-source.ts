/**
 * All jobs of an owner as a stream of their newest states: a position is the owner's `rev`. The engine gives each
 * changed job once, so a reader that was away gets one entry a job, however often it changed.
 */
import type { Engine, FeedSlice } from "#server/engine/contract.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { Owner } from "#shared/principal.ts";
import type { Slice, Source } from "./source.ts";

/** At most ten looks a second. */
const EVERY_MS = 100;
/** How many of the newest changes are the current state: the first screen of a list. */
const CURRENT = 50;

export function createFeedSource(
  engine: Pick<Engine, "readFeed">,
  owner: Owner,
): Source<FeedEntry> {
  return {
    key: `feed:${JSON.stringify([owner.tenant, owner.owner])}`,
    ref: { stream: "feed", owner: { tenant: owner.tenant, owner: owner.owner } },
    foldBeyond: Number.POSITIVE_INFINITY,
    everyMs: EVERY_MS,
    async current() {
      const { head } = await engine.readFeed(owner, Number.MAX_SAFE_INTEGER, 1);
      return sliceOf(await engine.readFeed(owner, Math.max(0, head - CURRENT), CURRENT));
    },
    read: async (after, limit) => sliceOf(await engine.readFeed(owner, after, limit)),
    fromHint: () => undefined,
    fold: () => undefined,
    markGap: (entry) => ({ ...entry, gap: true }),
  };
}

function sliceOf({ changes, head }: FeedSlice): Slice<FeedEntry> {
  const entries = changes.map(({ rev, job }) => ({ pos: rev, value: { rev, job } }));
  return { entries, head, ended: false };
}
