/** Many watchers that return at once, as after a deploy: a few reads serve all of them. */
import { expect, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { LOCAL_PRINCIPAL as me, ownerOf } from "#shared/principal.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import { openStreams } from "./open.ts";
import { createSink, openStreamsFixture } from "#test/streams/streams.fixture.ts";

const HERD = 1000;
/** More reads than a herd needs on a slow machine, and far fewer than one each. */
const FEW = HERD / 10;

/** An engine whose reads are counted. */
function counting(engine: Engine) {
  const reads = { count: 0 };
  const counted = Object.fromEntries(
    Object.entries(engine).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "function" && /^(get|read)/.test(name)
        ? (...args: unknown[]) => {
            reads.count += 1;
            return value(...args) as unknown;
          }
        : value,
    ]),
  ) as unknown as Engine;
  return { reads, counted };
}

async function openHerd() {
  const fixture = await openStreamsFixture();
  const { reads, counted } = counting(fixture.engine);
  const streams = openStreams(counted);
  return { fixture, reads, streams };
}

test("[S2] [S5] a herd with all kinds of cursors gets every event, from a few reads", async () => {
  const { fixture, reads, streams } = await openHerd();
  const jobId = await fixture.createJob();
  const life = fixture.life(jobId, 200);
  for (let n = 0; n < 150; n++) await life.next();
  const first = createSink<JobEvent>();
  (await streams.job(me, jobId)).pipe(first.sink);
  await vi.waitFor(() => expect(first.entries).toHaveLength(1));
  reads.count = 0;

  const herd = Array.from({ length: HERD }, (_, n) => ({
    ...createSink<JobEvent>(),
    after: n % 5 === 0 ? undefined : 1 + (n % 150),
  }));
  await Promise.all(
    herd.map(async ({ sink, after }) => (await streams.job(me, jobId, { after })).pipe(sink)),
  );
  await vi.waitFor(() => expect(herd.every(({ entries }) => entries.length > 0)).toBe(true));
  const used = reads.count;
  for await (const _step of life);
  await vi.waitFor(() => expect(herd.every(({ state }) => state.ended)).toBe(true));
  const log = await fixture.logOf(jobId);
  for (const { after, entries } of herd) {
    expect(checkRecord(log, [{ after, seen: entries.map(({ value }) => value) }])).toEqual([]);
  }
  expect(used).toBeLessThan(FEW);
  streams.close();
});

test("a herd that replays a log longer than the tail shares its reads", async () => {
  const { fixture, reads, streams } = await openHerd();
  const jobId = await fixture.createJob();
  await fixture.wholeLife(jobId, 1000);
  const herd = Array.from({ length: 200 }, () => createSink<JobEvent>());
  reads.count = 0;
  await Promise.all(
    herd.map(async ({ sink }) => (await streams.job(me, jobId, { after: 0 })).pipe(sink)),
  );
  await vi.waitFor(() => expect(herd.every(({ state }) => state.ended)).toBe(true));
  for (const { entries } of herd) expect(entries).toHaveLength(1003);
  expect(reads.count).toBeLessThan(200);
  streams.close();
});

test("herds at a batch and at a feed share their reads, too", async () => {
  const { fixture, reads, streams } = await openHerd();
  const { batchId, jobIds } = await fixture.createBatch(3);
  const { feed } = await fixture.engine.listJobs({ ...ownerOf(me), limit: 1 });
  await fixture.engine.change(String(jobIds[0]), { action: "cancel" }, new Date());
  reads.count = 0;
  const atBatch = Array.from({ length: HERD }, () => createSink<BatchAggregate>());
  const atFeed = Array.from({ length: HERD }, () => createSink<FeedEntry>());
  await Promise.all([
    ...atBatch.map(async ({ sink }) => (await streams.batch(me, batchId)).pipe(sink)),
    ...atFeed.map(async ({ sink }) => (await streams.feed(me, { after: feed })).pipe(sink)),
  ]);
  await vi.waitFor(() => {
    expect(atBatch.every(({ entries }) => entries.at(-1)?.value.aborted === 1)).toBe(true);
    expect(atFeed.every(({ entries }) => entries.length === 1)).toBe(true);
  });
  expect(reads.count).toBeLessThan(2 * FEW);
  streams.close();
});

test("[S10] a watch that begins after an acknowledged retry does not end at the failure before it", async () => {
  const { fixture, streams } = await openHerd();
  const jobId = await fixture.createJob();
  const follower = createSink<JobEvent>();
  const claim = await fixture.startJob(jobId);
  const failure = { code: "X", message: "failed" };
  await fixture.engine.change(jobId, { action: "fail", error: failure }, new Date(), claim);
  (await streams.job(me, jobId, { follow: true })).pipe(follower.sink);
  await vi.waitFor(() => expect(follower.entries).toHaveLength(1));
  await fixture.engine.change(jobId, { action: "retry" }, new Date());
  const fresh = createSink<JobEvent>();
  (await streams.job(me, jobId)).pipe(fresh.sink);
  await vi.waitFor(() => expect(fresh.entries.at(-1)?.value.type).toBe("requeued"));
  expect(fresh.state.ended).toBe(false);
  await fixture.wholeLife(jobId, 1);
  await vi.waitFor(() => expect(fresh.state.ended).toBe(true));
  streams.close();
});
