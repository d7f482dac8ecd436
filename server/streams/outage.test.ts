import { v7 as newId } from "uuid";
import { beforeEach, expect, test, vi } from "vitest";
import type { JobEvent } from "#shared/events.ts";
import { LOCAL_PRINCIPAL as me } from "#shared/principal.ts";
import { openStreams } from "./open.ts";
import {
  collect,
  createSink,
  openStreamsFixture,
  type StreamsFixture,
  take,
  withOutage,
} from "#test/streams/streams.fixture.ts";

const READS = ["getSummary", "readEvents", "onAppend"] as const;

let fixture: StreamsFixture;
beforeEach(async () => {
  fixture = await openStreamsFixture();
});

test("[S5] [S7] a watch that begins while the data is unavailable delivers everything once it is available", async () => {
  const jobId = await fixture.createJob();
  const cases = [[...READS], ["readEvents"], ["onAppend"]] as const;
  const watch = async (unreadable: (typeof cases)[number]) => {
    const outage = withOutage(fixture.engine, unreadable);
    const streams = openStreams(outage.engine);
    const pulled = collect(await streams.job(me, jobId, { after: 0, follow: true }));
    const pushed = createSink<JobEvent>();
    (await streams.job(me, jobId, { follow: true })).pipe(pushed.sink).resume();
    await vi.waitFor(() => expect(outage.tries()).toBeGreaterThan(1), 5000);
    expect([pulled.values, pushed.entries]).toEqual([[], []]);
    outage.back();
    await vi.waitFor(() => {
      expect(pulled.values).toMatchObject([{ seq: 1 }]);
      expect(pushed.seqs()).toEqual([1]);
    }, 5000);
    streams.close();
  };
  await Promise.all(cases.map(watch));
});

test("a watch that begins in an outage ends with NOT_FOUND where its watcher is not the owner, and shows nothing", async () => {
  const outage = withOutage(fixture.engine, READS);
  const streams = openStreams(outage.engine);
  const foreign = { ...me, userId: "another user" };
  const jobId = await fixture.createJob();
  const [pulled, pushed] = [take(await streams.job(foreign, jobId)), createSink<JobEvent>()];
  const refused = pulled.catch((error: unknown) => error);
  (await streams.job(me, newId())).pipe(pushed.sink);
  outage.back();
  expect(await refused).toMatchObject({ code: "NOT_FOUND" });
  await vi.waitFor(() => expect(pushed.state.reason).toBe("NOT_FOUND"), 5000);
  expect(pushed.entries).toEqual([]);
  expect(streams.count().watches).toBe(0);
  streams.close();
});

test("a watcher that leaves during an outage is shown nothing, and its watch does not begin later", async () => {
  const jobId = await fixture.createJob();
  const outage = withOutage(fixture.engine, READS);
  const streams = openStreams(outage.engine);
  const left = createSink<JobEvent>();
  const leaving = new AbortController();
  const pulled = take(await streams.job(me, jobId, { signal: leaving.signal }));
  (await streams.job(me, jobId)).pipe(left.sink).stop();
  leaving.abort();
  expect(await pulled).toEqual([]);
  outage.back();
  expect(await take(await streams.job(me, jobId), 1)).toMatchObject([{ seq: 1 }]);
  await vi.waitFor(() => expect(streams.count()).toEqual({ watches: 0, streams: 0 }));
  expect(left).toMatchObject({ entries: [], state: { ended: false } });
  streams.close();
});
