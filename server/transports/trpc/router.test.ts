import { TRPCClientError } from "@trpc/client";
import { blocked } from "#server/kinds/define.ts";
import { describe, expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { engineName } from "#test/engine/data.fixture.ts";
import { DONE, eventually, untilAborted } from "#test/jobs/jobs.fixture.ts";
import { applyDraft } from "#shared/events.ts";
import { applyLogFrames } from "#shared/log-line.ts";
import type { Presence } from "#shared/presence.ts";
import { me } from "#test/jobs/acting.ts";
import {
  type Link,
  openClient,
  openTestServer,
  watchBatch,
  watchDraft,
  watchLog,
  watchFeed,
  watchJob,
} from "#test/transports/trpc.fixture.ts";

const LINKS: Link[] = ["ws", "sse"];
const work = { kind: "work", input: { name: "bread" } };

const status = async (call: Promise<{ status: string }>) => (await call).status;

async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TRPCClientError)) throw new Error("It was not refused.");
  return { message: error.message, ...(error.data as Record<string, unknown>) };
}

describe.each(LINKS)("over %s", (link) => {
  test("a job is created, read, listed and receives decisions, and types survive", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    fixture.run = async ({ progress }) => {
      await progress(50, "Half");
      return blocked("Look at it", { at: [1, 2] });
    };
    const created = await client.job.create.mutate(work);
    expect(created).toMatchObject({
      status: "PENDING",
      title: "Work on bread",
      input: { name: "bread" },
    });
    expect(created.createdAt).toBeInstanceOf(Date);
    const waiting = () => client.job.waiting.query({ jobId: created.id });
    const message = "It starts when a worker is free";
    expect(await waiting()).toEqual({ reason: "queued", ahead: 0, message });
    fixture.startRunner();
    await fixture.reaches(created.id, "BLOCKED");
    expect(await waiting()).toBeNull();
    const job = await client.job.get.query({ jobId: created.id });
    expect(job).toMatchObject({
      output: { at: [1, 2] },
      startedAt: expect.any(Date),
      finishedAt: expect.any(Date),
    });
    const { items, nextCursor, feed } = await client.job.list.query();
    expect(items.map(({ id }) => id)).toEqual([job.id]);
    expect(items[0]).not.toHaveProperty("output");
    expect([nextCursor, feed]).toEqual([null, 4]);
    const approved = await client.job.approve.mutate({ jobId: job.id, note: " fine " });
    expect(approved).toMatchObject({ status: "DELIVERED", message: "Approved: fine" });
    const log = await client.job.events.query({ jobId: job.id, limit: 2, cursor: "1" });
    expect(log.items.map(({ seq, type }) => `${seq} ${type}`)).toEqual(["2 started", "3 progress"]);
    expect(log.nextCursor).toBe("3");
  });

  test("every decision has a procedure", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    const jobId = await fixture.create();
    expect(await status(client.job.cancel.mutate({ jobId }))).toBe("ABORTED");
    expect(await status(client.job.retry.mutate({ jobId }))).toBe("PENDING");
    fixture.run = async () => blocked("Look", 1);
    fixture.startRunner();
    await fixture.reaches(jobId, "BLOCKED");
    expect(await status(client.job.regenerate.mutate({ jobId }))).toBe("PENDING");
    await fixture.reaches(jobId, "BLOCKED");
    expect(await status(client.job.reject.mutate({ jobId, note: "no" }))).toBe("ABORTED");
  });

  test("a batch is created, read, listed and cancelled", async () => {
    const { url } = await openTestServer();
    const client = openClient(url, link);
    const batch = await client.batch.create.mutate({ name: "loaves", jobs: [work, work, work] });
    expect(batch).toMatchObject({
      name: "loaves",
      total: 3,
      status: "pending",
      createdAt: expect.any(Date),
    });
    expect(await client.batch.get.query({ batchId: batch.id })).toEqual(batch);
    expect((await client.batch.list.query()).items).toEqual([batch]);
    expect(await client.batch.cancel.mutate({ batchId: batch.id, note: "no oven" })).toMatchObject({
      aborted: 3,
      status: "failed",
    });
    const { items } = await client.job.list.query({ batchId: batch.id, status: "ABORTED" });
    expect(items.map(({ message }) => message)).toEqual(
      Array.from({ length: 3 }, () => "Cancelled: no oven"),
    );
  });

  test("kinds and the server describe themselves", async () => {
    const { url } = await openTestServer();
    const client = openClient(url, link);
    expect(await client.kind.list.query()).toMatchObject([
      { name: "work", input: { type: "object" } },
    ]);
    expect(await client.system.info.query()).toEqual({
      version: "1.2.3",
      engine: engineName,
      limits: { maxBatchJobs: 10_000, concurrency: 5, maxAttempts: 3 },
    });
  });

  test("[J4] an idempotency key gives the first job and the first batch", async () => {
    const { url } = await openTestServer();
    const client = openClient(url, link);
    const ask = () => client.job.create.mutate({ ...work, idempotencyKey: "k" });
    expect((await ask()).id).toBe((await ask()).id);
    const askBatch = () => client.batch.create.mutate({ jobs: [work], idempotencyKey: "k" });
    expect((await askBatch()).id).toBe((await askBatch()).id);
  });

  test("[B1] a batch of 10,000 jobs is accepted, and a larger one is refused", async () => {
    const { url } = await openTestServer();
    const client = openClient(url, link);
    const jobs = Array.from({ length: 10_000 }, (_, n) => ({
      kind: "work",
      input: { name: `loaf ${n} ${"x".repeat(300)}` },
    }));
    const batch = await client.batch.create.mutate({ jobs });
    expect(batch.total).toBe(10_000);
    expect(await refusal(client.batch.create.mutate({ jobs: [...jobs, work] }))).toMatchObject({
      code: "BAD_REQUEST",
      appCode: "BAD_REQUEST",
      zodError: { fieldErrors: { jobs: [expect.stringContaining("10000")] } },
    });
  });

  test("errors have codes for programs and messages for people", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    const jobId = newId();
    expect(await refusal(client.job.get.query({ jobId }))).toMatchObject({
      code: "NOT_FOUND",
      httpStatus: 404,
      appCode: "NOT_FOUND",
      path: "job.get",
      message: `Job ${jobId} does not exist.`,
    });
    expect(await refusal(client.job.create.mutate({ kind: "nope", input: {} }))).toMatchObject({
      code: "NOT_FOUND",
      message: 'There is no kind "nope". Known kinds: work.',
    });
    expect(await refusal(client.job.retry.mutate({ jobId: await fixture.create() }))).toMatchObject(
      {
        code: "CONFLICT",
        appCode: "ILLEGAL_TRANSITION",
        message: expect.stringMatching(
          /is PENDING and cannot become PENDING: "retry" needs ABORTED/,
        ),
      },
    );
    const input = { name: 5 };
    expect(await refusal(client.job.create.mutate({ kind: "work", input }))).toMatchObject({
      code: "BAD_REQUEST",
      appCode: "BAD_REQUEST",
      message: expect.stringContaining('The input is not what "work" takes. name: '),
      zodError: {
        formErrors: [],
        fieldErrors: { "input.name": [expect.stringContaining("string")] },
      },
    });
    const jobs = [work, { kind: "work", input }];
    expect(await refusal(client.batch.create.mutate({ jobs }))).toMatchObject({
      message: expect.stringMatching(
        /^1 of 2 rows cannot be used, so none was stored\.\nRow 2: name: /,
      ),
      zodError: { fieldErrors: { "jobs.1.input.name": [expect.any(String)] } },
    });
    expect(await refusal(client.job.list.query({ limit: 1000, cursor: "x" }))).toMatchObject({
      zodError: { fieldErrors: { limit: [expect.any(String)] } },
      message: expect.stringMatching(/^limit: /),
    });
    expect(await refusal(client.job.list.query({ cursor: "x" }))).toMatchObject({
      code: "BAD_REQUEST",
    });
    for (const bad of [{}, { jobId: "1" }, undefined, "x"]) {
      expect(await refusal(client.job.get.query(bad as { jobId: string }))).toMatchObject({
        code: "BAD_REQUEST",
        zodError: expect.any(Object),
      });
    }
    const unknown = (client as unknown as { nope: { such: { query(): Promise<unknown> } } }).nope
      .such;
    expect(await refusal(unknown.query())).toMatchObject({
      code: "NOT_FOUND",
      appCode: "NOT_FOUND",
    });
  });

  test("an input that does not match the kind's schema is refused, even if JSON cannot express it", async () => {
    const { url } = await openTestServer();
    const client = openClient(url, link);
    const name = 5n;
    expect(
      await refusal(client.job.create.mutate({ kind: "work", input: { name } })),
    ).toMatchObject({
      code: "BAD_REQUEST",
    });
  });

  test("a server fault is logged, and its message does not reach the client", async () => {
    const { url, fixture, logged } = await openTestServer();
    const client = openClient(url, link);
    const jobId = await fixture.create();
    Object.assign(fixture.engine, { getJob: () => Promise.reject(new Error("secret detail")) });
    const said = await refusal(client.job.cancel.mutate({ jobId }));
    expect(said).toMatchObject({
      code: "INTERNAL_SERVER_ERROR",
      appCode: "INTERNAL",
      message: "Something went wrong in the server. It was logged; try again.",
    });
    expect(JSON.stringify(said)).not.toContain("secret");
    expect(said).not.toHaveProperty("stack");
    expect(logged.filter(({ level }) => level >= 50)).toMatchObject([
      { msg: "A procedure failed", path: "job.cancel", err: { message: "secret detail" } },
    ]);
  });

  test("lists come in pages", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    for (let n = 0; n < 7; n++) await fixture.create(`${n}`);
    const titles: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof client.job.list.query>> = await client.job.list.query({
        limit: 3,
        cursor,
      });
      titles.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(titles).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `Work on ${n}`));
  });

  test("[S9] a feed from a list's cursor on misses nothing, whatever changed meanwhile", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    fixture.run = async ({ progress }) => {
      for (let n = 1; n < 5; n++) await progress(n * 20, `Step ${n}`);
      return DONE;
    };
    for (let n = 0; n < 40; n++) await fixture.create();
    fixture.startRunner();
    const { items, feed } = await client.job.list.query({ limit: 200 });
    for (let n = 0; n < 20; n++) await fixture.create();
    const notes = watchFeed(client, { lastEventId: String(feed) });
    for (let n = 0; n < 20; n++) await fixture.create();
    const newest = () =>
      new Map([...items, ...notes.data.map(({ job }) => job)].map((job) => [job?.id, job?.status]));
    await eventually(() => {
      expect(newest().size).toBe(80);
      expect(new Set(newest().values())).toEqual(new Set(["DELIVERED"]));
    });
    const listed = new Map(items.map((job) => [job.id, job.version]));
    const old = notes.data.filter(
      ({ job }) => job === null || job.version <= (listed.get(job.id) ?? 0),
    );
    expect(old).toEqual([]);
    expect(notes.ids).toEqual(notes.ids.toSorted((a, b) => Number(a) - Number(b)));
  });

  test("[S4] [S10] job.onUpdate delivers events with their cursors, and ends when the job settled", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    fixture.run = async ({ progress }) => {
      await progress(50, "Half");
      return DONE;
    };
    const jobId = await fixture.create();
    const notes = watchJob(client, { jobId });
    await eventually(() => expect(notes.ids).toEqual(["1"]));
    fixture.startRunner();
    await eventually(() => expect(notes.state).toBe("complete"));
    expect(notes.data).toEqual(await fixture.log(jobId));
    expect(notes.data[0]?.at).toBeInstanceOf(Date);
    expect(notes.ids).toEqual(["1", "2", "3", "4"]);
    const late = watchJob(client, { jobId, lastEventId: "2" });
    await eventually(() => expect(late.state).toBe("complete"));
    expect(late.ids).toEqual(["3", "4"]);
  });

  test("[S10] with follow, the subscription stays open after the job settled", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    const jobId = await fixture.create();
    const notes = watchJob(client, { jobId, follow: true, lastEventId: "0" });
    await fixture.jobs.decide(me, jobId, "cancel");
    await eventually(() => expect(notes.data.at(-1)?.type).toBe("aborted"));
    await client.job.retry.mutate({ jobId });
    await eventually(() => expect(notes.data.at(-1)?.type).toBe("requeued"));
    expect(notes.state).toBe("open");
  });

  test("job.onOutput delivers the draft as it grows, and starts over with the next attempt", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    const gate = Promise.withResolvers<void>();
    fixture.run = async ({ draft, attempt, signal }) => {
      await draft(`Attempt ${attempt}: once`);
      if (attempt === 1) await untilAborted(signal);
      await gate.promise;
      await draft(" upon a time");
      return DONE;
    };
    const first = fixture.startRunner();
    const jobId = await fixture.create();
    const notes = watchDraft(client, { jobId });
    const text = () => notes.data.reduce(applyDraft, "");
    await eventually(() => expect(text()).toBe("Attempt 1: once"));
    await first.stop(0);
    fixture.startRunner();
    await eventually(() => expect(text()).toBe("Attempt 2: once"));
    gate.resolve();
    await eventually(() => expect(notes.state).toBe("complete"));
    expect(text()).toBe("Attempt 2: once upon a time");
    expect(notes.data.at(-1)?.attempt).toBe(2);
  });

  test("[J20] job.onLog delivers the lines of all attempts as they are logged, and job.logs pages of them", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    const gate = Promise.withResolvers<void>();
    fixture.run = async ({ log, attempt, signal }) => {
      log("info", `Attempt ${attempt} begins`);
      if (attempt === 1) await untilAborted(signal);
      await gate.promise;
      log("error", "The end");
      return DONE;
    };
    const first = fixture.startRunner();
    const jobId = await fixture.create();
    const notes = watchLog(client, { jobId });
    const lines = () =>
      applyLogFrames([], notes.data).map(({ attempt, level, message }) => [
        attempt,
        level,
        message,
      ]);
    const begun = [1, "info", "Attempt 1 begins"];
    await eventually(() => expect(lines()).toEqual([begun]));
    await first.stop(0);
    fixture.startRunner();
    const again = [2, "info", "Attempt 2 begins"];
    await eventually(() => expect(lines()).toEqual([begun, again]));
    gate.resolve();
    await eventually(() => expect(notes.state).toBe("complete"));
    expect(lines()).toEqual([begun, again, [2, "error", "The end"]]);
    expect(notes.ids.at(-1)).toBe("3");

    const page = await client.job.logs.query({ jobId, limit: 2 });
    expect(page.items).toMatchObject([{ seq: 1 }, { seq: 2, at: expect.any(Date) as Date }]);
    expect(page.nextCursor).toBe("2");
    const rest = await client.job.logs.query({ jobId, cursor: "2" });
    expect(rest).toMatchObject({ items: [{ seq: 3 }], nextCursor: null });
    const resumed = watchLog(client, { jobId, lastEventId: "2", follow: true });
    await eventually(() => expect(resumed.data).toMatchObject([{ lines: [{ seq: 3 }] }]));
    expect(resumed.state).toBe("open");
  });

  test("[B2] batch.onUpdate delivers the aggregate until the batch is settled", async () => {
    const { url, fixture } = await openTestServer();
    const client = openClient(url, link);
    const { id: batchId } = await client.batch.create.mutate({ jobs: [work, work, work] });
    const notes = watchBatch(client, { batchId });
    await eventually(() => expect(notes.data).toMatchObject([{ version: 1, status: "pending" }]));
    fixture.startRunner();
    await eventually(() => expect(notes.state).toBe("complete"));
    expect(notes.data.at(-1)).toMatchObject({
      total: 3,
      delivered: 3,
      progress: 100,
      status: "completed",
    });
    expect(notes.ids).toEqual(notes.data.map(({ version }) => String(version)));
    const again = watchBatch(client, { batchId, follow: true, lastEventId: "1" });
    await eventually(() => expect(again.data).toMatchObject([{ status: "completed" }]));
    expect(again.state).toBe("open");
  });

  test("subscriptions to unknown ids or with a malformed cursor fail with the reason", async () => {
    const { url, fixture, watches } = await openTestServer();
    const client = openClient(url, link);
    const jobId = newId();
    const missing = watchJob(client, { jobId });
    const draft = watchDraft(client, { jobId });
    const batch = watchBatch(client, { batchId: jobId });
    const malformed = watchJob(client, {
      jobId: await fixture.create(),
      lastEventId: "abc",
    });
    await eventually(() =>
      expect([missing, draft, batch, malformed].map(({ state }) => state)).toEqual(
        Array.from({ length: 4 }, () => "failed"),
      ),
    );
    expect(missing.errors[0]).toMatchObject({
      message: `Job ${jobId} does not exist.`,
      data: { code: "NOT_FOUND", appCode: "NOT_FOUND" },
    });
    expect(draft.errors[0]?.data?.code).toBe("NOT_FOUND");
    expect(batch.errors[0]).toMatchObject({ message: `Batch ${jobId} does not exist.` });
    expect(malformed.errors[0]).toMatchObject({
      message: "lastEventId: Must be the id of an event that this stream sent, or 0 for everything",
      data: {
        code: "BAD_REQUEST",
        zodError: { fieldErrors: { lastEventId: [expect.any(String)] } },
      },
    });
    await eventually(() => expect(watches()).toBe(0));
  });
});

test("[W1] a caller without a device is one guest on its WebSocket, however often it watches and writes", async () => {
  const { url, fixture } = await openTestServer();
  const jobId = await fixture.create();
  const [one, other] = [openClient(url, "ws"), openClient(url, "ws")];
  const states: Presence[] = [];
  const watch = (client: typeof one, device?: string) =>
    client.job.onPresence.subscribe(
      { jobId, device },
      { onData: ({ data }) => states.push(data), onError: (error) => expect.fail(error.message) },
    );
  for (const client of [one, one, one, other]) watch(client);
  watch(one, "a device");
  await eventually(() => expect(states.at(-1)).toMatchObject({ count: 3, guests: 3 }));
  await one.job.typing.mutate({ jobId });
  await eventually(() => expect(states.at(-1)?.typing.count).toBe(1));
  await one.job.typing.mutate({ jobId, typing: false });
  await eventually(() => expect(states.at(-1)?.typing.count).toBe(0));
  expect(Math.max(...states.map(({ count }) => count))).toBe(3);
});
