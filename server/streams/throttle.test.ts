/** Batches and feeds change as often as all of their jobs; their watchers get ten updates a second at most. */
import { expect, test, vi } from "vitest";
import type { BatchAggregate } from "#shared/batch.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { LOCAL_PRINCIPAL as me, ownerOf } from "#shared/principal.ts";
import { timesOf } from "#test/long-run.ts";
import { createSink, openStreamsFixture } from "#test/streams/streams.fixture.ts";

const READS_A_SECOND = 10;
/** The first read, the last one, and one that was under way. */
const AROUND = 3;

const JOBS = timesOf(2000, 10_000);
/**
 * Changes that are under way together: an engine may tell of them at once. Of thousands, a busy Redis answers the last ones
 * after the time limit of a command.
 */
const AT_ONCE = 10;

const maxReads = (since: number) => ((performance.now() - since) / 1000) * READS_A_SECOND + AROUND;

test("a batch of thousands of jobs is at most ten aggregates a second, and the watch ends with the last one", async () => {
  const { engine, streams, createBatch } = await openStreamsFixture();
  const { batchId, jobIds } = await createBatch(JOBS);
  const { sink, entries, state } = createSink<BatchAggregate>();
  (await streams.batch(me, batchId)).pipe(sink);
  await vi.waitFor(() => expect(entries).toHaveLength(1));

  const since = performance.now();
  for (let done = 0; done < JOBS; done += AT_ONCE) {
    const together = jobIds.slice(done, done + AT_ONCE);
    await Promise.all(together.map((id) => engine.change(id, { action: "cancel" }, new Date())));
  }
  await vi.waitFor(() => expect(state.ended).toBe(true));
  expect(entries.at(-1)?.value).toMatchObject({ total: JOBS, aborted: JOBS });
  expect(entries.length).toBeLessThanOrEqual(maxReads(since));
});

test("a feed shows a job that changes a thousand times at most ten times a second, last in its newest state", async () => {
  const fixture = await openStreamsFixture();
  const jobId = await fixture.createJob();
  const { feed } = await fixture.engine.listJobs({ ...ownerOf(me), limit: 1 });
  const { sink, entries } = createSink<FeedEntry>();
  const watch = (await fixture.streams.feed(me, { after: feed })).pipe(sink);
  const since = performance.now();
  await fixture.wholeLife(jobId, 1000);
  await vi.waitFor(() => expect(entries.at(-1)?.value.job?.status).toBe("DELIVERED"));
  expect(entries.length).toBeLessThanOrEqual(maxReads(since));
  watch.stop();
});
