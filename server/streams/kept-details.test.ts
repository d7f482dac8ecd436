import { expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { MAX_DETAILS_BYTES } from "#shared/limits.ts";
import { EntryWindow } from "./entry-window.ts";
import { createFeedSource } from "./feed-source.ts";
import { createJobSource } from "./job-source.ts";
import { KEPT_ENTRIES } from "./kept-details.ts";
import type { Source } from "./source.ts";

const KIB = 1024;

/** The values that a tail of this source keeps of 1,000 entries. */
function kept<T>(source: Source<T>, value: T): readonly T[] {
  const window = new EntryWindow(KEPT_ENTRIES, source.weigh);
  for (let pos = 1; pos <= 1000; pos += 1) {
    window.append({ entries: [{ pos, value }], head: pos, ended: false });
  }
  for (let cursor = 0; ; cursor += 1) {
    const slice = window.since(cursor);
    if (slice !== undefined) return slice.entries.map((entry) => entry.value);
  }
}

const job = createJobSource({} as Engine, "job");
const feed = createFeedSource({} as Engine, { tenant: "acme" });
const sources: [string, (details: unknown) => readonly unknown[]][] = [
  ["of a job", (details) => kept(job, { details } as JobEvent)],
  ["of a feed", (details) => kept(feed, { rev: 1, job: { details } } as FeedEntry)],
];

test.each(sources)("[H11] the tail %s keeps 256 KiB of details at most", (_what, keep) => {
  expect(keep(undefined)).toHaveLength(256);
  expect(keep({ done: 1 })).toHaveLength(256);
  for (const size of [KIB - 1, KIB, 3000, MAX_DETAILS_BYTES]) {
    const count = keep("x".repeat(size - 2)).length;
    expect(count * size).toBeLessThanOrEqual(256 * KIB);
    // Enough for watchers that are a moment behind.
    expect(count).toBeGreaterThanOrEqual(28);
  }
});

test("a feed keeps entries without a job", () => {
  expect(kept(feed, { rev: 1, job: null, gap: true })).toHaveLength(256);
});
