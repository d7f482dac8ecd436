import fc from "fast-check";
import { v7 as newId } from "uuid";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import type { JobEvent } from "#shared/events.ts";
import type { LogFrame } from "#shared/log-line.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { type Principal, LOCAL_PRINCIPAL as me, ownerOf } from "#shared/principal.ts";
import { timesOf } from "#test/long-run.ts";
import { checkRecord, type Connection } from "#test/streams/check-record.ts";
import { openStreams, type Streams } from "./open.ts";
import {
  collect,
  createSink,
  openStreamsFixture,
  type StreamsFixture,
  take,
  withHints,
} from "#test/streams/streams.fixture.ts";

let fixture: StreamsFixture;
let engine: Engine;
let streams: Streams;

beforeEach(async () => {
  fixture = await openStreamsFixture();
  ({ engine, streams } = fixture);
});

const now = () => new Date();

function mirroredAt(n: number, gap?: true) {
  return { outside: { position: `${n}-0`, details: {}, gap, message: "waits" } };
}

describe("a watch of a job", () => {
  test("[S4] starts with the current state without a cursor, then goes on live", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    await fixture.progress(claim, 20);
    const { values, ended } = collect(await streams.job(me, jobId));
    await vi.waitFor(() => expect(values).toMatchObject([{ seq: 3, type: "progress" }]));
    await fixture.progress(claim, 30);
    await fixture.deliver(claim);
    await ended;
    expect(values.at(-1)).toMatchObject({ seq: 5, type: "delivered" });
  });

  test("[S4] replays everything after a cursor, and the whole log after 0", async () => {
    const jobId = await fixture.createJob();
    await fixture.wholeLife(jobId, 300);
    const log = await fixture.logOf(jobId);
    expect(await take(await streams.job(me, jobId, { after: 0 }))).toEqual(log);
    expect(await take(await streams.job(me, jobId, { after: 290 }))).toEqual(log.slice(290));
    expect(await take(await streams.job(me, jobId))).toEqual(log.slice(-1));
  });

  test("[S1] [S2] [S3] [S4] [S5] holds when the connection is cut after every possible frame", async () => {
    const steps = 8;
    for (let cutAt = 0; cutAt <= steps + 3; cutAt++) {
      for (const start of [undefined, 0, 1, 2]) {
        const jobId = await fixture.createJob();
        const connections: Connection[] = [];
        const steppedLife = fixture.life(jobId, steps);
        const watcher = (async () => {
          const seen = await take(await streams.job(me, jobId, { after: start }), cutAt);
          connections.push({ after: start, seen });
          const cursor = seen.at(-1)?.seq ?? start;
          const rest = await take(await streams.job(me, jobId, { after: cursor }));
          connections.push({ after: cursor, seen: rest });
        })();
        for await (const _step of steppedLife);
        await watcher;
        const log = await fixture.logOf(jobId);
        expect(checkRecord(log, connections)).toEqual([]);
        const last = connections.flatMap(({ seen }) => seen).at(-1);
        expect(last?.seq).toBe(log.length);
      }
    }
  });

  test("[S1] [S2] [S3] [S5] holds for random cuts while hints are lost, doubled, late and out of order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("keep", "drop", "double", "late", "empty"), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.array(fc.nat(6), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 40 }),
        async (fates, cuts, steps) => {
          const unreliable = openStreams(withHints(engine, fates), { pollMs: 10 });
          const jobId = await fixture.createJob();
          const connections: Connection[] = [];
          const watcher = (async () => {
            let cursor: number | undefined;
            for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
              const seen = await take(await unreliable.job(me, jobId, { after: cursor }), cut);
              connections.push({ after: cursor, seen });
              cursor = seen.at(-1)?.seq ?? cursor;
            }
          })();
          await fixture.wholeLife(jobId, steps);
          await watcher;
          unreliable.close();
          expect(checkRecord(await fixture.logOf(jobId), connections)).toEqual([]);
          expect(connections.flatMap(({ seen }) => seen).at(-1)?.type).toBe("delivered");
        },
      ),
      { numRuns: timesOf(20, 60) },
    );
  });

  test("[S2] [S3] [S7] a full sink is pushed nothing, and gets the newest state, folded, when it has drained", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    const { entries, sink, state, seqs } = createSink<JobEvent>();
    state.capacity = 1;
    const watch = (await streams.job(me, jobId, { follow: true })).pipe(sink);
    await vi.waitFor(() => expect(seqs()).toEqual([2]));
    for (let n = 1; n <= 500; n++) void fixture.progress(claim, n);
    await engine.change(
      jobId,
      { action: "release", message: "again", delayMs: 0, counts: true },
      now(),
      claim,
    );
    const second = await fixture.startJob(jobId);
    for (let n = 1; n <= 1000; n++) void fixture.progress(second, n);
    await fixture.deliver(second);
    expect(seqs()).toEqual([2]);

    state.capacity = Number.POSITIVE_INFINITY;
    watch.resume();
    await vi.waitFor(() => expect(entries.at(-1)?.value.type).toBe("delivered"));
    const seen = entries.map(({ value }) => value);
    expect(seen.map(({ type }) => type)).toEqual(["started", "retrying", "started", "delivered"]);
    expect(seen.map(({ skipped }) => skipped)).toEqual([undefined, 500, undefined, 1000]);
    // The newest of the 1,000 steps that have some. Those of the attempt before are gone.
    const newest = [undefined, undefined, undefined, { n: 999 }];
    expect(seen.map(({ details }) => details)).toEqual(newest);
    expect(checkRecord(await fixture.logOf(jobId), [{ after: undefined, seen }])).toEqual([]);
    watch.stop();
  });

  test("[X3] the mark of a gap in a mirrored job's log stays on the event that its own is folded into", async () => {
    const [id, kind] = [newId(), "test:queue"];
    const fresh = {
      id,
      kind,
      title: "A job",
      input: {},
      batchId: null,
      ...ownerOf(me),
      ...mirroredAt(1),
    };
    await engine.createJob(fresh, now());
    await engine.change(
      id,
      { action: "start", progress: 0, message: "started", ...mirroredAt(2) },
      now(),
    );
    for (let n = 3; n <= 90; n++) {
      const step = { action: "progress", progress: n, message: `step ${n}` } as const;
      await engine.change(id, { ...step, ...mirroredAt(n, n === 40 || undefined) }, now());
    }
    const seen: JobEvent[] = [];
    const end = { action: "deliver", message: "done", output: null, ...mirroredAt(91) } as const;
    await engine.change(id, end, now());
    const from = { after: 2 };
    for await (const { value } of await streams.job(me, id, from)) seen.push(value);
    expect(seen.map(({ type, skipped, gap }) => [type, skipped, gap])).toEqual([
      ["delivered", 88, true],
    ]);
  });

  test("[S2] [S3] [S5] holds for a sink that fills up and drains at random", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 0, max: 400 }),
        async (rooms, steps) => {
          const jobId = await fixture.createJob();
          const { entries, sink, state } = createSink<JobEvent>();
          state.capacity = rooms[0] as number;
          const watch = (await streams.job(me, jobId, { after: 0 })).pipe(sink);
          const living = fixture.wholeLife(jobId, steps);
          for (const room of rooms.slice(1)) {
            await engine.health();
            if (state.capacity > 0) continue;
            state.capacity = room;
            watch.resume();
          }
          await living;
          state.capacity = Number.POSITIVE_INFINITY;
          watch.resume();
          await vi.waitFor(() => expect(state.ended).toBe(true));
          const seen = entries.map(({ value }) => value);
          expect(checkRecord(await fixture.logOf(jobId), [{ after: 0, seen }])).toEqual([]);
          expect(seen.at(-1)?.type).toBe("delivered");
        },
      ),
      { numRuns: timesOf(15, 40) },
    );
  });

  test("[S6] each delivered event is already in the log", async () => {
    const jobId = await fixture.createJob();
    const missing: number[] = [];
    const reads: Promise<void>[] = [];
    const watch = (await streams.job(me, jobId, { after: 0 })).pipe({
      push(entries) {
        for (const { pos } of entries) {
          const read = engine.readEvents(jobId, pos - 1, 1).then((slice) => {
            if (slice?.events[0]?.seq !== pos) missing.push(pos);
          });
          reads.push(read);
        }
        return entries.length;
      },
      end() {},
    });
    await fixture.wholeLife(jobId, 50);
    await vi.waitFor(() => expect(reads).toHaveLength(53));
    await Promise.all(reads);
    expect(missing).toEqual([]);
    watch.stop();
  });

  test("[S8] a cursor beyond the log is answered by the current state marked as a gap", async () => {
    const jobId = await fixture.createJob();
    await fixture.wholeLife(jobId, 3);
    const seen = await take(await streams.job(me, jobId, { after: 4711 }));
    expect(seen).toMatchObject([{ seq: 6, type: "delivered", gap: true }]);
  });

  test("[S8] a watch goes on live after a gap", async () => {
    const jobId = await fixture.createJob();
    const seen = take(await streams.job(me, jobId, { after: 99 }));
    await vi.waitFor(() => expect(streams.count().watches).toBe(1));
    await fixture.wholeLife(jobId, 1);
    const shown = (await seen).map(({ seq, gap }) => [seq, gap]);
    expect(shown[0]?.[1]).toBe(true);
    expect(shown.slice(1).every(([, gap]) => gap === undefined)).toBe(true);
    expect(shown.at(-1)?.[0]).toBe(4);
  });

  test("[S9] a cursor taken by pushing resumes by pulling, also after a restart on the same data", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    const { sink, seqs } = createSink<JobEvent>();
    const watch = (await streams.job(me, jobId, { after: 0 })).pipe(sink);
    await vi.waitFor(() => expect(seqs()).toEqual([1, 2]));
    watch.stop();
    await fixture.progress(claim, 50);
    await fixture.restart();
    const rest = await take(await fixture.streams.job(me, jobId, { after: 2 }), 1);
    expect(rest).toMatchObject([{ seq: 3, type: "progress" }]);
  });

  test("[S10] ends after the settled event, and at once where the cursor is already there", async () => {
    const jobId = await fixture.createJob();
    await fixture.wholeLife(jobId, 1);
    expect(await take(await streams.job(me, jobId, { after: 4 }))).toEqual([]);
    expect(await take(await streams.job(me, jobId, { after: 3 }))).toMatchObject([{ seq: 4 }]);
  });

  test("[S10] does not end at an event that settled the job once, where the log goes on", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    await engine.change(jobId, { action: "block", message: "?", output: {} }, now(), claim);
    await engine.change(jobId, { action: "regenerate" }, now());
    await fixture.wholeLife(jobId, 0);
    const types = (await take(await streams.job(me, jobId, { after: 0 }))).map(({ type }) => type);
    expect(types).toEqual(["created", "started", "blocked", "requeued", "started", "delivered"]);
  });

  test("[S10] stays with `follow`, and shows the events after the settled one", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    const { sink, entries, state } = createSink<JobEvent>();
    const watch = (await streams.job(me, jobId, { follow: true })).pipe(sink);
    await engine.change(jobId, { action: "block", message: "?", output: {} }, now(), claim);
    await vi.waitFor(() => expect(entries.at(-1)?.value.type).toBe("blocked"));
    expect(state.ended).toBe(false);
    await engine.change(jobId, { action: "approve" }, now());
    await vi.waitFor(() => expect(entries.at(-1)?.value.type).toBe("approved"));
    watch.stop();
  });

  test("[J9] a job of another owner does not exist", async () => {
    const jobId = await fixture.createJob();
    const stranger: Principal = { userId: "stranger", tenantId: me.tenantId, scopes: ["*"] };
    const abroad: Principal = { userId: me.userId, tenantId: "abroad", scopes: ["*"] };
    for (const principal of [stranger, abroad]) {
      await expect(streams.job(principal, jobId)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(streams.draft(principal, jobId)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    await expect(streams.job(me, newId())).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("a job that is deleted while it is watched ends the watch with NOT_FOUND", async () => {
    const polling = openStreams(engine, { pollMs: 10 });
    const jobId = await fixture.createJob();
    const { sink, state, seqs } = createSink<JobEvent>();
    (await polling.job(me, jobId, { follow: true })).pipe(sink);
    await vi.waitFor(() => expect(seqs()).toEqual([1]));
    await fixture.wholeLife(jobId, 0);
    await vi.waitFor(() => expect(seqs()).toEqual([1, 2, 3]));
    expect(await engine.prune(new Date(Date.now() + 1000), 10)).toBe(1);
    await vi.waitFor(() => expect(state).toMatchObject({ ended: true, reason: "NOT_FOUND" }));
    expect(polling.count()).toEqual({ watches: 0, streams: 0 });
    polling.close();
  });

  test("nothing remains of watches that were aborted, stopped or returned", async () => {
    const jobId = await fixture.createJob();
    const controller = new AbortController();
    const pulling = take(await streams.job(me, jobId, { follow: true, signal: controller.signal }));
    const { sink } = createSink<JobEvent>();
    const watch = (await streams.job(me, jobId)).pipe(sink);
    await take(await streams.job(me, jobId), 1);
    await vi.waitFor(() => expect(streams.count()).toEqual({ watches: 2, streams: 1 }));
    controller.abort();
    await pulling;
    watch.stop();
    watch.stop();
    expect(streams.count()).toEqual({ watches: 0, streams: 0 });
  });

  test("a delivery is reported once for the changes of a tick, with the time of the newest, and counted for each watch", async () => {
    const reported: Date[] = [];
    const watched = openStreams(engine, { onDelivered: (at) => reported.push(at) });
    const jobId = await fixture.createJob();
    const sinks = [createSink<JobEvent>(), createSink<JobEvent>()];
    for (const { sink } of sinks) (await watched.job(me, jobId, { follow: true })).pipe(sink);
    (await watched.feed(me)).pipe(createSink<FeedEntry>().sink);
    for (const { seqs } of sinks) await vi.waitFor(() => expect(seqs()).toEqual([1]));
    expect(reported).toEqual([]);
    const claim = await fixture.startJob(jobId);
    await Promise.all([fixture.progress(claim, 1), fixture.progress(claim, 2)]);
    for (const { seqs } of sinks) await vi.waitFor(() => expect(seqs()).toEqual([1, 2, 3, 4]));
    const times = sinks[0]?.entries.map(({ value }) => value.at);
    expect(reported.at(-1)).toEqual(times?.at(-1));
    expect(reported.length).toBeLessThanOrEqual(3);
    const { job, feed, batch } = watched.usage();
    expect(job).toMatchObject({ watches: 2, streams: 1, delivered: 8, folded: 0 });
    expect(feed).toMatchObject({ watches: 1, streams: 1 });
    expect(batch).toMatchObject({ watches: 0, streams: 0, delivered: 0 });
    watched.close();
  });
});

describe("other streams", () => {
  test("[S4] [S10] a draft is the text so far, then its deltas, until the job settles", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    await engine.appendDraft(claim, "Once ");
    await engine.appendDraft(claim, "upon ");
    const { sink, entries, state } = createSink<{
      text: string;
      offset: number;
      attempt: number;
    }>();
    (await streams.draft(me, jobId)).pipe(sink);
    await vi.waitFor(() => expect(entries).toHaveLength(1));
    await engine.appendDraft(claim, "a time");
    await vi.waitFor(() => expect(entries).toHaveLength(2));
    expect(entries.map(({ value }) => value)).toMatchObject([
      { offset: 0, text: "Once upon ", attempt: 1 },
      { offset: 10, text: "a time", attempt: 1 },
    ]);
    await fixture.deliver(claim);
    await vi.waitFor(() => expect(state.ended).toBe(true));
  });

  test("[S4] [S9] a draft resumes after its cursor, and says where an attempt starts over", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    await engine.appendDraft(claim, "First ");
    const [first] = await take(await streams.draft(me, jobId), 1);
    await engine.appendDraft(claim, "attempt");
    const resumed = await take(await streams.draft(me, jobId, { after: first?.seq }), 1);
    expect(resumed).toMatchObject([{ offset: 6, text: "attempt" }]);

    await engine.change(
      jobId,
      { action: "release", message: "again", delayMs: 0, counts: true },
      now(),
      claim,
    );
    await engine.appendDraft(await fixture.startJob(jobId), "Second");
    const again = await take(await streams.draft(me, jobId, { after: resumed[0]?.seq }), 1);
    expect(again).toMatchObject([{ offset: 0, text: "Second", attempt: 2 }]);
  });

  test("[S4] [S10] a batch is its newest aggregate, and ends when every job is settled", async () => {
    const { batchId, jobIds } = await fixture.createBatch(3);
    const { values: states, ended } = collect(await streams.batch(me, batchId));
    const fresh = { total: 3, completed: 0, status: "pending" };
    await vi.waitFor(() => expect(states).toMatchObject([fresh]));
    for (const id of jobIds) await engine.change(id, { action: "cancel" }, now());
    await ended;
    expect(states.at(-1)).toMatchObject({ completed: 3, aborted: 3, status: "failed" });
    const versions = states.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  });

  test("[S2] [S4] a feed shows the newest state of each job that changed after its cursor", async () => {
    const first = await fixture.createJob();
    const { feed } = await engine.listJobs({ ...ownerOf(me), limit: 10 });
    const second = await fixture.createJob();
    await fixture.wholeLife(first, 5);
    const seen = await take(await streams.feed(me, { after: feed }), 2);
    expect(seen.map(({ job }) => [job?.id, job?.status])).toEqual([
      [second, "PENDING"],
      [first, "DELIVERED"],
    ]);
    const stranger: Principal = { userId: "stranger", tenantId: me.tenantId, scopes: ["*"] };
    const controller = new AbortController();
    const theirs = take(await streams.feed(stranger, { signal: controller.signal }));
    await fixture.createJob();
    controller.abort();
    expect(await theirs).toEqual([]);
  });

  test("[S8] a feed, a draft and a batch answer a cursor from the future with a marked state", async () => {
    const jobId = await fixture.createJob();
    await engine.appendDraft(await fixture.startJob(jobId), "text");
    expect(await take(await streams.draft(me, jobId, { after: 99 }), 1)).toMatchObject([
      { text: "text", gap: true },
    ]);
    expect(await take(await streams.feed(me, { after: 9999 }), 1)).toMatchObject([
      { job: { id: jobId }, gap: true },
    ]);
  });
});

test("[S8] an empty feed answers a cursor beyond it with an empty gap", async () => {
  const seen = await take(await streams.feed(me, { after: 500 }), 1);
  expect(seen).toEqual([{ rev: 0, job: null, gap: true }]);
});

test("[S2] [S8] a feed goes on without a gap after all of its jobs were deleted", async () => {
  const old = await fixture.createJob();
  const live = collect(await streams.feed(me, { after: 0 })).values;
  await vi.waitFor(() => expect(live).toHaveLength(1));
  await engine.change(old, { action: "cancel" }, now());
  await vi.waitFor(() => expect(live).toHaveLength(2));
  const cursor = live.at(-1)?.rev;
  expect(await engine.prune(new Date(Date.now() + 1000), 9)).toBe(1);
  const resumed = collect(await streams.feed(me, { after: cursor })).values;
  const fresh = await fixture.createJob();
  const feeds = [live, resumed];
  await vi.waitFor(() => {
    for (const feed of feeds) expect(feed.at(-1)).toMatchObject({ job: { id: fresh } });
  });
  expect([live.length, resumed.length]).toEqual([3, 1]);
  for (const entry of feeds.flat()) expect(entry).not.toHaveProperty("gap");
});

test("[S8] the feed of an owner without jobs stays silent while those of the tenant change, and then shows the first", async () => {
  const read = vi.spyOn(engine, "readFeed");
  const polling = openStreams(engine, { pollMs: 10 });
  onTestFinished(() => polling.close());
  const other: Principal = { ...me, userId: "other" };
  const fresh = collect(await polling.feed(other)).values;
  const fromStart = collect(await polling.feed(other, { after: 0 })).values;
  for (let round = 0; round < 3; round++) {
    await fixture.createJob();
    read.mockClear();
    await vi.waitFor(() => expect(read.mock.calls.length).toBeGreaterThan(4));
  }
  expect([fresh, fromStart]).toEqual([[], []]);

  const job = { id: newId(), kind: "test", title: "T", input: {}, batchId: null };
  await engine.createJob({ ...job, ...ownerOf(other) }, now());
  for (const values of [fresh, fromStart]) {
    await vi.waitFor(() => expect(values).toMatchObject([{ job: { id: job.id } }]));
    expect(values[0]).not.toHaveProperty("gap");
  }
});

test("[S4] a feed without a cursor shows the jobs that changed last, however busy one of them is", async () => {
  const quiet = [await fixture.createJob(), await fixture.createJob(), await fixture.createJob()];
  const busy = await fixture.createJob();
  const claim = await fixture.startJob(busy);
  for (let n = 0; n < 300; n++) void fixture.progress(claim, n);
  await fixture.progress(claim, 99);
  const seen = await take(await streams.feed(me), 4);
  expect(seen.map(({ job }) => job?.id)).toEqual([...quiet, busy]);
});

const lineOf = (message: string) => ({ at: now(), level: "info", message }) as const;
const many = (count: number) => Array.from({ length: count }, (_, n) => lineOf(`line ${n}`));
const seqsOf = (frames: readonly LogFrame[]) =>
  frames.flatMap(({ lines }) => lines.map(({ seq }) => seq));

describe("a watch of log lines", () => {
  test("[S4] [J20] starts with the kept lines in frames of a hundred, and resumes after a cursor", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    await engine.appendLines(claim, many(250));
    const { values, ended } = collect(await streams.lines(me, jobId));
    await vi.waitFor(() => expect(seqsOf(values)).toHaveLength(250));
    expect(values.map(({ lines }) => lines.length)).toEqual([100, 100, 50]);
    await engine.appendLines(claim, many(1));
    await fixture.deliver(claim);
    await ended;
    expect(seqsOf(values)).toEqual(Array.from({ length: 251 }, (_, n) => n + 1));
    expect(seqsOf(await take(await streams.lines(me, jobId, { after: 249 })))).toEqual([250, 251]);
  });

  test("[S2] [J20] goes on with the oldest line that is kept", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    await engine.appendLines(claim, many(600));
    await engine.appendLines(claim, many(600));
    await fixture.deliver(claim);
    const seqs = seqsOf(await take(await streams.lines(me, jobId, { after: 5 })));
    expect(seqs).toHaveLength(1000);
    expect([seqs[0], seqs.at(-1)]).toEqual([201, 1200]);
  });

  test("[S7] [J20] a full sink gets all kept lines once it has drained", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    const stalled = createSink<LogFrame>();
    stalled.state.capacity = 1;
    const watch = (await streams.lines(me, jobId)).pipe(stalled.sink);
    for (let round = 0; round < 4; round += 1) await engine.appendLines(claim, many(200));
    await fixture.deliver(claim);
    await vi.waitFor(() => expect(stalled.entries).toHaveLength(1));
    stalled.state.capacity = Number.POSITIVE_INFINITY;
    watch.resume();
    await vi.waitFor(() => expect(stalled.state.ended).toBe(true));
    expect(seqsOf(stalled.entries.map(({ value }) => value))).toEqual(
      Array.from({ length: 800 }, (_, n) => n + 1),
    );
  });

  test("[S8] answers a cursor from the future with all kept lines, marked, also where there are none", async () => {
    const jobId = await fixture.createJob();
    const claim = await fixture.startJob(jobId);
    const future = async () => take(await streams.lines(me, jobId, { after: 99 }), 1);
    expect(await future()).toEqual([{ jobId, lines: [], gap: true }]);
    await engine.appendLines(claim, many(2));
    expect(await future()).toMatchObject([{ lines: [{ seq: 1 }, { seq: 2 }], gap: true }]);
  });
});

test("[S10] a new watch of a draft stays while the job is queued again, also beside an older watch that is full", async () => {
  const jobId = await fixture.createJob();
  const claim = await fixture.startJob(jobId);
  await engine.appendDraft(claim, "First");
  const stalled = createSink<{ text: string }>();
  stalled.state.capacity = 1;
  (await streams.draft(me, jobId)).pipe(stalled.sink);
  await vi.waitFor(() => expect(stalled.entries).toHaveLength(1));
  const failure = { code: "X", message: "failed" };
  await engine.change(jobId, { action: "fail", error: failure }, now(), claim);
  await engine.change(jobId, { action: "retry" }, now());
  const fresh = createSink<{ text: string; attempt: number }>();
  (await streams.draft(me, jobId)).pipe(fresh.sink);
  await engine.appendDraft(await fixture.startJob(jobId), "Second");
  await vi.waitFor(() => expect(fresh.entries.at(-1)?.value).toMatchObject({ text: "Second" }));
});

test("[S1] [S5] nothing is doubled when hints come during a slow first read", async () => {
  const jobId = await fixture.createJob();
  const first = Promise.withResolvers<void>();
  let reads = 0;
  const slow = openStreams({
    ...engine,
    async readEvents(...args) {
      const slice = await engine.readEvents(...args);
      if (reads++ === 0) await first.promise;
      return slice;
    },
  });
  const { sink, entries, state } = createSink<JobEvent>();
  (await slow.job(me, jobId, { after: 0 })).pipe(sink);
  const claim = await fixture.startJob(jobId);
  await fixture.progress(claim, 20);
  first.resolve();
  const late = createSink<JobEvent>();
  (await slow.job(me, jobId, { after: 1 })).pipe(late.sink);
  await fixture.deliver(claim);
  await vi.waitFor(() => expect([state.ended, late.state.ended]).toEqual([true, true]));
  expect(entries.map(({ pos }) => pos)).toEqual([1, 2, 3, 4]);
  expect(late.seqs()).toEqual([2, 3, 4]);
  slow.close();
});

test.each([1, 2])(
  "[S1] [S8] a log that grows at read %i of a cursor beyond it, and gives no hint, is shown in order, once",
  async (growsAt) => {
    const jobId = await fixture.createJob();
    let claim: Claim | undefined;
    let reads = 0;
    const silent = openStreams(
      {
        ...withHints(engine, ["drop"]),
        async readEvents(id, after, limit) {
          const slice = await engine.readEvents(id, after, limit);
          if (after === 2 && ++reads === growsAt) claim = await fixture.startJob(jobId);
          return slice;
        },
      },
      { pollMs: 10 },
    );
    const { sink, seqs, entries } = createSink<JobEvent>();
    (await silent.job(me, jobId, { after: 2 })).pipe(sink);
    await vi.waitFor(() => expect(claim).toBeDefined());
    await fixture.progress(claim as Claim, 20);
    await vi.waitFor(() => expect(seqs().at(-1)).toBe(3));
    // The watch reads again before it shows a gap.
    expect(seqs()).toEqual(growsAt === 1 ? [3] : [2, 3]);
    expect(entries.map(({ value }) => value.gap)).toEqual(
      growsAt === 1 ? [undefined] : [true, undefined],
    );
    silent.close();
  },
);

test("[S1] [S5] [S7] a watch whose sink was full goes on from the log, also where all hints were lost", async () => {
  const jobId = await fixture.createJob();
  const claim = await fixture.startJob(jobId);
  const silent = openStreams(withHints(engine, ["drop"]), { pollMs: 10 });
  const live = createSink<JobEvent>();
  (await silent.job(me, jobId)).pipe(live.sink);
  await vi.waitFor(() => expect(live.seqs()).toEqual([2]));
  // Its cursor is ahead of the tail, so it reads the log.
  await fixture.progress(claim, 1);
  const full = createSink<JobEvent>();
  full.state.capacity = 0;
  const watch = (await silent.job(me, jobId, { after: 3 })).pipe(full.sink);
  const steps = Array.from({ length: 600 }, (_, n) => fixture.progress(claim, n));
  await Promise.all(steps);
  await vi.waitFor(() => expect(live.seqs().at(-1)).toBe(603));
  full.state.capacity = Number.POSITIVE_INFINITY;
  watch.resume();
  await fixture.deliver(claim);
  await vi.waitFor(() => expect([live.state.ended, full.state.ended]).toEqual([true, true]));
  const seen = full.entries.map(({ value }) => value);
  expect(checkRecord(await fixture.logOf(jobId), [{ after: 3, seen }])).toEqual([]);
  silent.close();
});
