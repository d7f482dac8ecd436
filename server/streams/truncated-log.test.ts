/** Watched logs that are truncated, as by a failover to a replica, or by a restored backup. */
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Claim, Engine, Hint } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { LOCAL_PRINCIPAL as me, ownerOf } from "#shared/principal.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import { openStreams } from "./open.ts";
import { collect, createSink } from "#test/streams/streams.fixture.ts";

const AT = new Date(Date.UTC(2026, 0, 1));

async function openData(): Promise<Engine> {
  const data = await newTestData();
  const engine = await openEngine(data.config);
  onTestFinished(async () => {
    await engine.close();
    await data.remove();
  });
  return engine;
}

/** Two engines with the same data, and streams that read the first until `failOver()`. */
async function openPair() {
  const [master, replica] = [await openData(), await openData()];
  let serving = master;
  const listeners = new Set<(hint: Hint) => void>();
  const lead =
    (name: keyof Engine) =>
    (...args: never[]): unknown =>
      (serving[name] as (...given: never[]) => unknown)(...args);
  const names = [
    "getSummary",
    "getBatch",
    "readEvents",
    "readFeed",
    "readDraft",
    "health",
  ] as const;
  const engine = {
    ...master,
    ...Object.fromEntries(names.map((name) => [name, lead(name)])),
    async onAppend(stream, listener) {
      listeners.add(listener);
      const ends = await Promise.all(
        [master, replica].map((each) =>
          each.onAppend(stream, (hint) => {
            if (each === serving) listener(hint);
          }),
        ),
      );
      return () => {
        listeners.delete(listener);
        ends.forEach((end) => end());
      };
    },
  } as Engine;
  const streams = openStreams(engine, { pollMs: 60_000 });
  onTestFinished(() => streams.close());
  return {
    master,
    replica,
    streams,
    both: <T>(run: (each: Engine) => Promise<T>) => Promise.all([run(master), run(replica)]),
    /** Listeners get an empty hint, as after each lost connection. */
    failOver(to = replica) {
      serving = to;
      for (const listener of listeners) listener({});
    },
  };
}

const newJob = (batchId: string | null = null) => {
  return { id: newId(), kind: "test", title: "A test", input: {}, batchId, ...ownerOf(me) };
};

async function begin(engine: Engine, jobId: string): Promise<Claim> {
  const claims = await engine.claim({ worker: "w", max: 100, leaseMs: 60_000, now: AT });
  const claim = claims.find((each) => each.jobId === jobId) as Claim;
  await engine.change(jobId, { action: "start", progress: 1, message: "started" }, AT, claim);
  return claim;
}

function step(engine: Engine, claim: Claim, message: string): Promise<unknown> {
  return engine.change(claim.jobId, { action: "progress", progress: 50, message }, AT, claim);
}

async function steps(engine: Engine, claim: Claim, count: number, name: string): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => step(engine, claim, `${name} ${index}`)),
  );
}

const deliver = (engine: Engine, claim: Claim) =>
  engine.change(claim.jobId, { action: "deliver", message: "done", output: {} }, AT, claim);

test("[S1] [S2] [S3] [S5] [S6] [S8] watchers of a log that is truncated anywhere and grows again see the new log, after a gap where theirs was lost", async () => {
  const { master, replica, streams, both, failOver } = await openPair();
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        shared: fc.integer({ min: 0, max: 300 }),
        lost: fc.integer({ min: 1, max: 300 }),
        instead: fc.integer({ min: 0, max: 600 }),
        cursors: fc.array(fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined })),
        room: fc.integer({ min: 0, max: 300 }),
      }),
      async ({ shared, lost, instead, cursors, room }) => {
        failOver(master);
        const job = newJob();
        await both((each) => each.createJob(job, AT));
        const [before, after] = await both((each) => begin(each, job.id));
        await Promise.all([
          steps(master, before, shared, "shared"),
          steps(replica, after, shared, "shared"),
        ]);
        await steps(master, before, lost, "lost");
        const logBefore = (await master.readEvents(job.id, 0, 10_000))?.events ?? [];

        const watchers = await Promise.all(
          [undefined, 0, logBefore.length, ...cursors].map(async (cursor, index) => {
            const { sink, entries, state } = createSink<JobEvent>();
            // Some are in the middle of their replay during the failover.
            if (index % 2 === 1) state.capacity = room;
            const watch = (await streams.job(me, job.id, { after: cursor })).pipe(sink);
            return { cursor, entries, state, watch };
          }),
        );
        const isShown = ({ entries, state, cursor }: (typeof watchers)[number]) =>
          state.capacity === 0 ||
          cursor === logBefore.length ||
          entries.at(-1)?.pos === logBefore.length;
        await vi.waitFor(() => expect(watchers.every(isShown)).toBe(true));

        await steps(replica, after, instead, "instead");
        failOver();
        for (const { state, watch } of watchers) {
          state.capacity = Number.POSITIVE_INFINITY;
          watch.resume();
        }
        await deliver(replica, after);
        await vi.waitFor(() => expect(watchers.every(({ state }) => state.ended)).toBe(true));
        const log = (await replica.readEvents(job.id, 0, 10_000))?.events ?? [];
        for (const { cursor, entries } of watchers) {
          const seen = entries.map(({ value }) => value);
          const gap = seen.findLastIndex((event) => event.gap === true);
          // A watcher without a gap was shown no lost event, and has the whole log.
          const since =
            gap === -1 ? { after: cursor, seen } : { after: undefined, seen: seen.slice(gap) };
          expect(checkRecord(log, [since])).toEqual([]);
          expect(seen.at(-1)).toMatchObject({ seq: log.length, type: "delivered" });
          expect(
            checkRecord(logBefore, [{ after: cursor, seen: seen.slice(0, Math.max(gap, 0)) }]),
          ).toEqual([]);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test("[S8] a watcher that saw a job settle gets a gap where that was lost, and sees how the job settles then", async () => {
  const { master, replica, streams, both, failOver } = await openPair();
  const job = newJob();
  await both((each) => each.createJob(job, AT));
  const [before, after] = await both((each) => begin(each, job.id));
  await deliver(master, before);
  const { values } = collect(await streams.job(me, job.id, { after: 1, follow: true }));
  await vi.waitFor(() => expect(values.map(({ seq }) => seq)).toEqual([2, 3]));
  failOver();
  await vi.waitFor(() => expect(values.at(-1)).toMatchObject({ seq: 2, gap: true }));
  await replica.change(job.id, { action: "cancel" }, AT);
  await vi.waitFor(() => expect(values.at(-1)).toMatchObject({ seq: 3, type: "aborted" }));
  // A watch that begins now shows none of the lost events.
  const late = collect(await streams.job(me, job.id, { after: 0, follow: true }));
  await vi.waitFor(() => expect(late.values.map(({ type }) => type)).toHaveLength(3));
  expect(late.values).toEqual((await replica.readEvents(job.id, 0, 10))?.events);
  expect((await replica.getJob(after.jobId))?.status).toBe("ABORTED");
});

test("[S8] truncated batches, feeds and drafts are shown in their current state, marked as a gap", async () => {
  const { master, replica, streams, both, failOver } = await openPair();
  const batch = { id: newId(), name: null, ...ownerOf(me) };
  const job = newJob(batch.id);
  await both((each) => each.createBatch(batch, [job, newJob(batch.id)], AT));
  const [before, after] = await both((each) => begin(each, job.id));
  await both((each) => each.appendDraft(each === master ? before : after, "Both. "));
  await master.appendDraft(before, "Lost. ");
  await deliver(master, before);

  const drafts = collect<DraftFrame>(await streams.draft(me, job.id, { follow: true }));
  const batches = collect<BatchAggregate>(await streams.batch(me, batch.id));
  const feed = collect<FeedEntry>(await streams.feed(me));
  await vi.waitFor(() => {
    expect(drafts.values.at(-1)).toMatchObject({ text: "Both. Lost. " });
    expect(batches.values.at(-1)).toMatchObject({ delivered: 1 });
    expect(feed.values.at(-1)).toMatchObject({ job: { id: job.id, status: "DELIVERED" } });
  });

  failOver();
  await vi.waitFor(() => {
    expect(drafts.values.at(-1)).toMatchObject({ text: "Both. ", offset: 0, gap: true });
    expect(batches.values.at(-1)).toMatchObject({ delivered: 0, gap: true });
    expect(feed.values.at(-1)).toMatchObject({
      job: { id: job.id, status: "PROCESSING" },
      gap: true,
    });
  });
  await replica.appendDraft(after, "Instead.");
  await deliver(replica, after);
  await vi.waitFor(() => {
    expect(drafts.values.at(-1)).toMatchObject({ text: "Instead.", offset: 6 });
    expect(batches.values.at(-1)).toMatchObject({ delivered: 1 });
    expect(feed.values.at(-1)).toMatchObject({ job: { id: job.id, status: "DELIVERED" } });
  });
});
