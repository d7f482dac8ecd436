import { describe, expect, test } from "vitest";
import { DONE, eventually } from "#test/jobs/jobs.fixture.ts";
import { applyDraft } from "#shared/events.ts";
import { me } from "#test/jobs/acting.ts";
import {
  type Link,
  openClient,
  openTestServer,
  watchBatch,
  watchDraft,
  watchFeed,
  watchJob,
  watchLog,
} from "#test/transports/trpc.fixture.ts";
import { openCable } from "#test/transports/cable.fixture.ts";

/** An EventSource waits three seconds before it reconnects. */
const CUTS: [Link, number][] = [
  ["ws", 5],
  ["sse", 2],
];
const STEPS = 60;

describe.each(CUTS)("the stock client over %s", (link, cuts) => {
  test("[S5] [J20] receives a whole draft and all log lines, however often its connection is cut", async () => {
    const { url, fixture } = await openTestServer();
    const cable = await openCable(url);
    const client = openClient(cable.url, link);
    const seen = () => notes.data.reduce(applyDraft, "");
    // The cut falls between pieces, while some of them are in transit.
    const cutOnceSeen = async (word: string) => {
      await eventually(() => expect(seen()).toContain(word));
      cable.cut();
    };
    fixture.run = async ({ draft, log }) => {
      for (let n = 1; n <= STEPS; n++) {
        log("info", `line ${n}`);
        await draft(`word${n} `);
        if (n % (STEPS / cuts) === 0) await cutOnceSeen(`word${n - STEPS / cuts + 1} `);
      }
      return DONE;
    };
    const jobId = await fixture.create();
    const notes = watchDraft(client, { jobId });
    const logged = watchLog(client, { jobId });
    await eventually(() => expect(notes.data).toHaveLength(1));
    fixture.startRunner();
    await eventually(() => expect(notes.state).toBe("complete"));
    expect(cable.cuts).toBe(cuts);
    expect(seen()).toBe(Array.from({ length: STEPS }, (_, n) => `word${n + 1} `).join(""));
    expect(notes.errors).toEqual([]);
    await eventually(() => expect(logged.state).toBe("complete"));
    const lines = logged.data.flatMap((frame) => frame.lines);
    const numbers = Array.from({ length: STEPS }, (_, n) => n + 1);
    expect(lines.map(({ seq }) => seq)).toEqual(numbers);
    expect(lines.map(({ message }) => message)).toEqual(numbers.map((n) => `line ${n}`));
  });

  test("[S6] [S9] resumes a batch and the feed after a restart of the server", async () => {
    const server = await openTestServer();
    const { fixture } = server;
    const client = openClient(server.url, link);
    fixture.run = async ({ progress }) => {
      for (let n = 1; n <= 10; n++) await progress(n * 9, `Step ${n}`);
      return DONE;
    };
    const batch = await fixture.jobs.createBatch(me, {
      jobs: Array.from({ length: 3 }, () => ({ kind: "work", input: {} })),
    });
    const { items } = await fixture.jobs.list(me, { limit: 10 });
    const aggregate = watchBatch(client, { batchId: batch.id });
    const feed = watchFeed(client);
    await eventually(() => {
      expect([aggregate.ids, feed.data.length]).toEqual([["1"], 3]);
    });
    const [first, second] = items;
    await fixture.jobs.decide(me, first?.id ?? "", "cancel");
    await server.restart();
    await fixture.jobs.decide(me, second?.id ?? "", "cancel");
    await server.restart();
    fixture.startRunner();
    await eventually(() => {
      expect(aggregate.state).toBe("complete");
      const newest = new Map(feed.data.map(({ job }) => [job?.id, job?.status]));
      expect([...newest.values()].map(String).toSorted()).toEqual([
        "ABORTED",
        "ABORTED",
        "DELIVERED",
      ]);
    });
    expect([...aggregate.errors, ...feed.errors]).toEqual([]);
    expect(aggregate.data.at(-1)).toMatchObject({ aborted: 2, delivered: 1, status: "completed" });
    const versions = aggregate.data.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    expect(feed.ids).toEqual([...new Set(feed.ids)]);
  });

  test("[S8] receives a gap if its cursor is not in the data any more", async () => {
    const { url, fixture } = await openTestServer();
    const cable = await openCable(url);
    const client = openClient(cable.url, link);
    const { id: batchId } = await fixture.jobs.createBatch(me, {
      jobs: [{ kind: "work", input: {} }],
    });
    const notes = watchBatch(client, { batchId, lastEventId: "7" });
    await eventually(() => expect(notes.data).toMatchObject([{ version: 1, gap: true }]));
    cable.cut();
    const [job] = (await fixture.jobs.list(me, { limit: 1 })).items;
    await fixture.jobs.decide(me, job?.id ?? "", "cancel");
    await eventually(() => expect(notes.state).toBe("complete"));
    expect(notes.data.slice(1)).toMatchObject([{ version: 2, status: "failed" }]);
  });
});

test("[S9] [S11] WebSocket and SSE deliver the same sequence, and their cursors are interchangeable", async () => {
  const { url, fixture } = await openTestServer();
  const [ws, sse] = [openClient(url, "ws"), openClient(url, "sse")];
  fixture.run = async ({ progress }) => {
    for (let n = 1; n <= 30; n++) await progress(n * 3, `Step ${n}`);
    return DONE;
  };
  const jobId = await fixture.create();
  const both = [
    watchJob(ws, { jobId, lastEventId: "0" }),
    watchJob(sse, { jobId, lastEventId: "0" }),
  ];
  fixture.startRunner();
  await eventually(() => expect(both.map(({ state }) => state)).toEqual(["complete", "complete"]));
  expect(both[0]?.data).toEqual(both[1]?.data);
  const cursor = both[0]?.ids[12];
  const rest = watchJob(sse, { jobId, lastEventId: cursor });
  await eventually(() => expect(rest.state).toBe("complete"));
  expect(rest.data).toEqual(both[0]?.data.slice(13));
});
