/** Batches and feeds change as often as their jobs do together; who watches them is told ten times a second. */
import { expect, test, vi } from "vitest";
import type { BatchAggregate } from "#shared/batch.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { LOCAL_PRINCIPAL as me, ownerOf } from "#shared/principal.ts";
import { createSink, openStreamsFixture } from "#test/streams/streams.fixture.ts";

const LOOKS_A_SECOND = 10;
/** The first, the last, and one that was under way. */
const AROUND = 3;

const mostLooks = (since: number) => ((performance.now() - since) / 1000) * LOOKS_A_SECOND + AROUND;

test("a batch of 10,000 jobs is a small steady stream of aggregates, and the last one is the end", async () => {
  const { engine, streams, createBatch } = await openStreamsFixture();
  const { batchId, jobIds } = await createBatch(10_000);
  const { sink, entries, state } = createSink<BatchAggregate>();
  (await streams.batch(me, batchId)).pipe(sink);
  await vi.waitFor(() => expect(entries).toHaveLength(1));

  const since = performance.now();
  await Promise.all(jobIds.map((id) => engine.change(id, { action: "cancel" }, new Date())));
  await vi.waitFor(() => expect(state.ended).toBe(true));
  expect(entries.at(-1)?.value).toMatchObject({ total: 10_000, aborted: 10_000 });
  expect(entries.length).toBeLessThanOrEqual(mostLooks(since));
});

test("a job that changes a thousand times is in a feed a few times, and last as it is", async () => {
  const fixture = await openStreamsFixture();
  const jobId = await fixture.createJob();
  const { feed } = await fixture.engine.listJobs({ ...ownerOf(me), limit: 1 });
  const { sink, entries } = createSink<FeedEntry>();
  const watch = (await fixture.streams.feed(me, { after: feed })).pipe(sink);
  const since = performance.now();
  await fixture.wholeLife(jobId, 1000);
  await vi.waitFor(() => expect(entries.at(-1)?.value.job?.status).toBe("DELIVERED"));
  expect(entries.length).toBeLessThanOrEqual(mostLooks(since));
  watch.stop();
});
