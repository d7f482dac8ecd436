/** Jobs of real BullMQ workers, seen through Jobwire. BullMQ has a Redis of its own, which the mirror may only read. */
import { Redis } from "ioredis";
import { io } from "socket.io-client";
import { afterAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { createJobwire, type Log } from "#server/index.ts";
import type { JobEvent } from "#shared/events.ts";
import type { JobSummary } from "#shared/job.ts";
import { legacyOfJob, type LegacyMessage } from "#shared/legacy.ts";
import { LOCAL_PRINCIPAL, type Principal } from "#shared/principal.ts";
import { startBullmqRedis } from "#test/bullmq/bullmq.fixture.ts";
import { isMultiProcess, newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { openClient, watchJob } from "#test/transports/trpc.fixture.ts";
import { bullmqQueues, type BullmqDetails, type BullmqQueue } from "./index.ts";

const redis = await startBullmqRedis(inject("redisServer"));
afterAll(() => redis.close());

const ops: Principal = { userId: "ops", tenantId: "acme", scopes: ["*"] };

let data: TestData;
beforeEach(async () => {
  data = await newTestData();
  onTestFinished(() => data.remove());
});

type Opened = Awaited<ReturnType<typeof show>>;

/** A Jobwire that shows these queues, and has no kinds of its own. */
async function show(...queues: (Partial<BullmqQueue> & { name: string })[]) {
  const owned = queues.map((queue) => ({ tenant: "acme", owner: "ops", ...queue }));
  const sources = [bullmqQueues({ connection: redis.readOnlyUrl, queues: owned })];
  const env = { ...data.env, LOG_LEVEL: "silent" };
  const jobwire = createJobwire({ kinds: [], sources, env });
  onTestFinished(async () => void (await jobwire.close()));
  await jobwire.start();
  // From here on all is seen by events.
  await vi.waitFor(async () => {
    const clients = String(await redis.client.client("LIST")).split("\n");
    const waiting = clients.filter((each) => /name=jobwire-mirror .*cmd=xread /.test(each));
    expect(waiting.length).toBeGreaterThanOrEqual(queues.length);
  });
  return jobwire;
}

const detailsOf = ({ details }: Pick<JobSummary, "details">) => details as BullmqDetails;

async function jobsOf({ jobs }: Opened, kind: string): Promise<JobSummary[]> {
  return (await jobs.list(ops, { kind, limit: 200 })).items;
}

/** Waits for the job that stands for one of BullMQ, until it has this status. */
function jobOf(
  jobwire: Opened,
  name: string,
  id: string | undefined,
  status?: JobSummary["status"],
): Promise<JobSummary> {
  return vi.waitFor(async () => {
    const all = await jobsOf(jobwire, `bullmq:${name}`);
    const job = all.find((each) => detailsOf(each).id === id);
    if (job === undefined) throw new Error(`No job stands for ${id}.`);
    expect(job.status).toBe(status ?? job.status);
    return job;
  });
}

async function listenAt(...jobwires: readonly Opened[]): Promise<[string, string]> {
  const addresses = new Map<Opened, string>();
  for (const each of new Set(jobwires)) {
    addresses.set(each, (await each.listen({ host: "127.0.0.1", port: 0 })).url);
  }
  const [first = "", second = ""] = jobwires.map((each) => addresses.get(each));
  return [first, second];
}

/** A client of the older system, over Socket.IO. */
async function watchLegacy(url: string, jobId: string): Promise<LegacyMessage[]> {
  const messages: LegacyMessage[] = [];
  const socket = io(url, { transports: ["websocket"], forceNew: true });
  onTestFinished(() => void socket.close());
  for (const name of ["job:update", "job:completed", "job:error"] as const) {
    socket.on(name, (payload: LegacyMessage["payload"]) => messages.push({ name, payload }));
  }
  await new Promise<void>((resolve) => void socket.once("connect", resolve));
  socket.emit("subscribe:job", { job_id: jobId });
  return messages;
}

async function eventsOf({ jobs }: Opened, { id }: Pick<JobSummary, "id">): Promise<JobEvent[]> {
  return (await jobs.events(ops, { jobId: id, limit: 1000 })).items;
}

const textOf = ({ type, message }: JobEvent) => `${type}: ${message}`;

async function storyOf(jobwire: Opened, job: Pick<JobSummary, "id">): Promise<string[]> {
  return (await eventsOf(jobwire, job)).map(textOf);
}

const gate = () => Promise.withResolvers<void>();

describe("a queue of BullMQ", () => {
  test("[X1] a job is watched live: its progress, log lines, data and result", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    const [begin, end] = [gate(), gate()];
    work(async (job) => {
      await begin.promise;
      await job.log("first line");
      await job.updateProgress(20);
      await job.updateProgress({ percent: 60, message: "More than half", files: ["a"] });
      await end.promise;
      await job.log("last line");
      return { sent: 3 };
    });
    const { id } = await queue.add("welcome", { to: "ann" });
    const running = await jobOf(jobwire, name, id, "PROCESSING");
    const seen: string[] = [];
    const watched = (async () => {
      for await (const event of jobwire.jobs.watch(ops, running.id)) seen.push(textOf(event));
    })();
    await vi.waitFor(() => expect(seen).toEqual(["started: Started"]));
    begin.resolve();
    await vi.waitFor(() => expect(seen).toHaveLength(3));
    // While it runs.
    await vi.waitFor(async () => {
      const { items } = await jobwire.jobs.logs(ops, { jobId: running.id });
      expect(items.map(({ message }) => message)).toEqual(["first line"]);
    });
    end.resolve();
    await watched;
    expect(seen).toEqual([
      "started: Started",
      "progress: 20 %",
      "progress: More than half",
      "delivered: Completed",
    ]);
    expect(await jobwire.jobs.get(ops, running.id)).toMatchObject({
      kind: `bullmq:${name}`,
      title: "welcome",
      status: "DELIVERED",
      tenant: "acme",
      owner: "ops",
      attempt: 1,
      input: { to: "ann" },
      output: { sent: 3 },
      details: { queue: name, id, name: "welcome", state: "completed", attempts: 1 },
    });
    const { items } = await jobwire.jobs.logs(ops, { jobId: running.id });
    expect(items.map(({ message }) => message)).toEqual(["first line", "last line"]);
    expect((await storyOf(jobwire, running)).slice(0, 2)).toEqual([
      "created: Waiting",
      "started: Started",
    ]);
  });

  test("[X1] a failing job shows each attempt with its reason, and then that it failed", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    work(() => Promise.reject(new Error("No luck")));
    const { id } = await queue.add("a", {}, { attempts: 2, backoff: { type: "fixed", delay: 20 } });
    const { id: atOnce } = await queue.add("b", {}, { attempts: 2 });
    const failed = await jobOf(jobwire, name, id, "ABORTED");
    expect(failed).toMatchObject({
      error: { code: "FAILED", message: "No luck" },
      attempt: 2,
      retries: 1,
      details: { state: "failed", attemptsMade: 2, attempts: 2 },
    });
    expect(await storyOf(jobwire, failed)).toEqual([
      "created: Waiting",
      "started: Started",
      expect.stringMatching(/^retrying: Attempt 1 of 2 failed: No luck\. Delayed until 20/),
      "requeued: Waiting",
      "started: Started",
      "aborted: No luck",
    ]);
    const other = await jobOf(jobwire, name, atOnce, "ABORTED");
    expect(await storyOf(jobwire, other)).toEqual([
      "created: Waiting",
      "started: Started",
      "retrying: Attempt 1 of 2 failed: No luck. Waiting",
      "started: Started",
      "aborted: No luck",
    ]);
  });

  test("[X1] delayed, prioritized and paused jobs wait, each in its way", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    await queue.pause();
    const { id: first } = await queue.add("plain", {});
    const { id: second } = await queue.add("urgent", {}, { priority: 2 });
    const { id: third } = await queue.add("later", {}, { delay: 3_600_000 });
    expect(await jobOf(jobwire, name, first)).toMatchObject({ message: "Waiting" });
    expect(await jobOf(jobwire, name, second)).toMatchObject({
      message: "Waiting with priority 2",
      details: { state: "prioritized", priority: 2 },
    });
    const later = await jobOf(jobwire, name, third);
    expect(later).toMatchObject({ status: "PENDING", details: { state: "delayed" } });
    expect(later.message).toMatch(/^Delayed until 20/);
    await (await queue.getJob(third ?? ""))?.promote();
    await vi.waitFor(async () =>
      expect(await storyOf(jobwire, later)).toEqual([
        `created: ${later.message}`,
        "requeued: Waiting",
      ]),
    );
    work(() => Promise.resolve(null));
    await queue.resume();
    for (const id of [first, second, third]) await jobOf(jobwire, name, id, "DELIVERED");
  });

  test("[X1] a flow shows its parent wait for its children, also those of another queue", async () => {
    const [parents, children] = [redis.queue(), redis.queue()];
    const jobwire = await show({ name: parents.name }, { name: children.name });
    const tree = await redis.flow().add({
      name: "album",
      queueName: parents.name,
      children: [{ name: "photo", queueName: children.name, data: { n: 1 } }],
    });
    const parent = await jobOf(jobwire, parents.name, tree.job.id);
    expect(parent).toMatchObject({ message: "Waiting for its children" });
    const child = tree.children?.[0]?.job.id;
    expect(await jobOf(jobwire, children.name, child)).toMatchObject({
      details: { parent: `bull:${parents.name}:${tree.job.id}` },
    });
    children.work(() => Promise.resolve("small"));
    parents.work(async (job) => Object.values(await job.getChildrenValues()));
    await jobOf(jobwire, parents.name, tree.job.id, "DELIVERED");
    expect(await storyOf(jobwire, parent)).toEqual([
      "created: Waiting for its children",
      "requeued: Waiting",
      "started: Started",
      "delivered: Completed",
    ]);
    expect(await jobwire.jobs.get(ops, parent.id)).toMatchObject({ output: ["small"] });
  });

  test("[X1] each job of a scheduler is a job of its own", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    work(() => Promise.resolve(null));
    await queue.upsertJobScheduler("hourly", { every: 50, limit: 2 }, { name: "tick" });
    await vi.waitFor(async () => {
      const jobs = await jobsOf(jobwire, `bullmq:${name}`);
      expect(jobs.map(({ status }) => status)).toEqual(["DELIVERED", "DELIVERED"]);
      for (const { details, title } of jobs) {
        expect([details, title]).toMatchObject([{ scheduler: "hourly" }, "tick"]);
      }
    });
  });

  test("[X1] a job whose worker stalls waits again, and runs to its end", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    // Its process is alive and does nothing: nothing renews its lock, as after a kill.
    const lost = work(() => new Promise(() => {}), {
      lockDuration: 50,
      skipLockRenewal: true,
      skipStalledCheck: true,
    });
    const { id } = await queue.add("a", {});
    await jobOf(jobwire, name, id, "PROCESSING");
    await lost.close(true);
    work(() => Promise.resolve(7), { stalledInterval: 60 });
    const job = await jobOf(jobwire, name, id, "DELIVERED");
    expect(await storyOf(jobwire, job)).toEqual([
      "created: Waiting",
      "started: Started",
      "retrying: Its worker stalled. Waiting",
      "started: Started",
      "delivered: Completed",
    ]);
  });

  test("[X1] what a queue forgets at once is shown to the end, and stays", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    work((job) => (job.name === "bad" ? Promise.reject(new Error("No")) : Promise.resolve("ok")));
    const removed = { removeOnComplete: true, removeOnFail: true };
    const { id: good } = await queue.add("good", {}, removed);
    const { id: bad } = await queue.add("bad", {}, removed);
    const job = await jobOf(jobwire, name, good, "DELIVERED");
    expect(await jobwire.jobs.get(ops, job.id)).toMatchObject({ title: "good", output: "ok" });
    expect(await jobOf(jobwire, name, bad, "ABORTED")).toMatchObject({ error: { message: "No" } });
  });

  test("[X4] removed, drained and obliterated jobs end", async () => {
    const { name, queue } = redis.queue();
    const jobwire = await show({ name });
    const { id: one } = await queue.add("one", {});
    const { id: two } = await queue.add("two", {});
    for (const id of [one, two]) await jobOf(jobwire, name, id, "PENDING");
    await queue.remove(one ?? "");
    expect(await jobOf(jobwire, name, one, "ABORTED")).toMatchObject({
      error: { code: "REMOVED", message: "Removed" },
    });
    // No event tells of it.
    await queue.drain();
    expect(await jobOf(jobwire, name, two, "ABORTED")).toMatchObject({
      error: { code: "REMOVED" },
    });
    const { id: three } = await queue.add("three", {});
    await jobOf(jobwire, name, three, "PENDING");
    await queue.obliterate();
    const gone = await jobOf(jobwire, name, three, "ABORTED");
    expect((await eventsOf(jobwire, gone)).at(-1)).toMatchObject({ type: "aborted", gap: true });
    // Ids begin anew.
    const { id: again } = await queue.add("again", {});
    expect(again).toBe(one);
    await vi.waitFor(async () => {
      const same = (await jobsOf(jobwire, `bullmq:${name}`)).filter(
        (each) => detailsOf(each).id === again,
      );
      expect(same.map(({ title }) => title)).toEqual(["again", "one"]);
    });
  });

  test("[X1] a job that BullMQ runs again is the same job, and an id that is used again is another", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    let fails = true;
    work(() => (fails ? Promise.reject(new Error("No")) : Promise.resolve("ok")));
    await queue.add("a", { n: 1 }, { jobId: "daily" });
    const failed = await jobOf(jobwire, name, "daily", "ABORTED");
    fails = false;
    await (await queue.getJob("daily"))?.retry();
    const done = await jobOf(jobwire, name, "daily", "DELIVERED");
    expect(done).toMatchObject({ id: failed.id, error: null });
    expect((await storyOf(jobwire, done)).slice(-4)).toEqual([
      "aborted: No",
      "requeued: Waiting",
      "started: Started",
      "delivered: Completed",
    ]);
    await (await queue.getJob("daily"))?.retry("completed");
    await vi.waitFor(async () => expect(await eventsOf(jobwire, done)).toHaveLength(9));
    expect((await storyOf(jobwire, done)).slice(-3)).toEqual([
      "requeued: Waiting",
      "started: Started",
      "delivered: Completed",
    ]);
    await queue.remove("daily");
    await queue.add("b", { n: 2 }, { jobId: "daily" });
    await vi.waitFor(async () => {
      const jobs = await jobsOf(jobwire, `bullmq:${name}`);
      expect(jobs.map(({ title, status }) => [title, status])).toEqual([
        ["b", "DELIVERED"],
        ["a", "DELIVERED"],
      ]);
    });
  });

  test("[X1] jobs that were there before are shown as they are, with the newest that ended", async () => {
    const { name, queue, work } = redis.queue();
    const worker = work((job) =>
      job.name === "bad" ? Promise.reject(new Error("No")) : Promise.resolve(1),
    );
    for (const title of ["old", "new", "bad"]) await queue.add(title, {});
    await vi.waitFor(async () => expect(await queue.getFailedCount()).toBe(1));
    await worker.close();
    const [running, begun] = [gate(), gate()];
    const { id: active } = await queue.add("active", { n: 3 });
    work(() => (begun.resolve(), running.promise));
    await begun.promise;
    for (let n = 0; n < 120; n += 1) await queue.add(`wait ${n}`, {});
    await queue.add("later", {}, { delay: 3_600_000 });
    await queue.add("urgent", {}, { priority: 1 });

    const jobwire = await show({ name, history: 1 });
    await jobOf(jobwire, name, active, "PROCESSING");
    await vi.waitFor(async () => expect(await jobsOf(jobwire, `bullmq:${name}`)).toHaveLength(125));
    const jobs = await jobsOf(jobwire, `bullmq:${name}`);
    const of = (title: string) => jobs.find((each) => each.title === title);
    expect(of("old")).toBeUndefined();
    expect(of("new")).toMatchObject({ status: "DELIVERED", details: { state: "completed" } });
    expect(of("bad")).toMatchObject({ status: "ABORTED", error: { message: "No" } });
    expect(of("active")).toMatchObject({ status: "PROCESSING", details: { state: "active" } });
    expect(of("later")?.message).toMatch(/^Delayed until/);
    expect(of("urgent")).toMatchObject({ message: "Waiting with priority 1" });
    expect(of("wait 119")).toMatchObject({ status: "PENDING", version: 1 });
    expect(await jobwire.jobs.get(ops, of("active")?.id ?? "")).toMatchObject({ input: { n: 3 } });
    running.resolve();
    const done = await jobOf(jobwire, name, active, "DELIVERED");
    expect(await storyOf(jobwire, done)).toEqual([
      "created: Waiting",
      "started: Started",
      "delivered: Completed",
    ]);
  });

  test("[X3] after lost events its jobs are shown as they are, marked as a gap", async () => {
    const { name, queue, work } = redis.queue();
    const before = await show({ name });
    const [begun, end] = [gate(), gate()];
    work(async (job) => {
      if (job.name !== "long") return 1;
      begun.resolve();
      await end.promise;
      await job.updateProgress(90);
      return 2;
    });
    const { id: long } = await queue.add("long", {});
    await begun.promise;
    const running = await jobOf(before, name, long, "PROCESSING");
    await queue.pause();
    const { id: waiting } = await queue.add("short", {});
    await jobOf(before, name, waiting, "PENDING");
    await before.close();

    await queue.resume();
    end.resolve();
    await vi.waitFor(async () => expect(await queue.getCompletedCount()).toBe(2));
    await redis.client.xtrim(`bull:${name}:events`, "MAXLEN", 1);

    const jobwire = await show({ name });
    for (const id of [long, waiting]) await jobOf(jobwire, name, id, "DELIVERED");
    const events = await eventsOf(jobwire, running);
    expect(events.map(({ type, gap }) => [type, gap])).toEqual([
      ["created", undefined],
      ["started", undefined],
      ["delivered", true],
    ]);
    const short = await jobOf(jobwire, name, waiting);
    expect((await eventsOf(jobwire, short)).map(({ type, gap }) => [type, gap])).toEqual([
      ["created", undefined],
      ["started", true],
      ["delivered", undefined],
    ]);
    // A watcher sees it too, from its cursor on.
    const seen: JobEvent[] = [];
    for await (const event of jobwire.jobs.watch(ops, running.id, { lastEventId: "2" }))
      seen.push(event);
    expect(seen).toMatchObject([{ type: "delivered", gap: true }]);
  });

  test("[X2] a Jobwire that starts again goes on where it was, with nothing doubled", async () => {
    const { name, queue, work } = redis.queue();
    const first = await show({ name });
    const end = gate();
    work(async (job) => {
      await job.updateProgress(10);
      await end.promise;
      await job.updateProgress(20);
    });
    const { id } = await queue.add("a", {});
    await vi.waitFor(async () =>
      expect(await jobOf(first, name, id)).toMatchObject({ progress: 10 }),
    );
    await first.close();
    end.resolve();
    await vi.waitFor(async () => expect(await queue.getCompletedCount()).toBe(1));
    const again = await show({ name });
    const job = await jobOf(again, name, id, "DELIVERED");
    expect((await eventsOf(again, job)).map(({ type, progress }) => [type, progress])).toEqual([
      ["created", 0],
      ["started", 0],
      ["progress", 10],
      ["progress", 20],
      ["delivered", 100],
    ]);
  });

  test("[X5] nothing but the queue changes its jobs, and no runner gets them", async () => {
    const { name, queue } = redis.queue();
    const jobwire = await show({ name });
    const { id } = await queue.add("a", {});
    const job = await jobOf(jobwire, name, id, "PENDING");
    await expect(jobwire.jobs.cancel(ops, job.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
      message: expect.stringContaining("of another system"),
    });
    await expect(jobwire.jobs.retry(ops, job.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
    });
    expect(await jobwire.jobs.waiting(ops, job.id)).toBeNull();
    await queue.remove(id ?? "");
    expect(await storyOf(jobwire, await jobOf(jobwire, name, id, "ABORTED"))).toEqual([
      "created: Waiting",
      "aborted: Removed",
    ]);
    await expect(jobwire.jobs.retry(ops, job.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
    });
  });

  test("[X5] with `control` callers cancel what waits and retry what failed, and nothing else", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name, control: queue });
    const { id } = await queue.add("waits", {});
    const waits = await jobOf(jobwire, name, id, "PENDING");
    expect(waits).toMatchObject({ details: { control: true } });
    const stranger = { ...ops, userId: "bob", scopes: ["jobs:read", "jobs:write"] };
    await expect(jobwire.jobs.cancel(stranger, waits.id)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await jobwire.jobs.cancel(ops, waits.id)).toMatchObject({
      status: "ABORTED",
      error: { code: "REMOVED" },
    });
    expect(await queue.getJob(id ?? "")).toBeUndefined();
    await expect(jobwire.jobs.cancel(ops, waits.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
    });
    await expect(jobwire.jobs.retry(ops, waits.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
      message: expect.stringContaining("has forgotten"),
    });

    const end = gate();
    let fails = true;
    work(async () => {
      if (fails) throw new Error("No");
      await end.promise;
    });
    const { id: failing } = await queue.add("fails", {});
    const failed = await jobOf(jobwire, name, failing, "ABORTED");
    fails = false;
    const again = await jobwire.jobs.retry(ops, failed.id);
    expect(["PENDING", "PROCESSING"]).toContain(again.status);
    await jobOf(jobwire, name, failing, "PROCESSING");
    await expect(jobwire.jobs.cancel(ops, failed.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
      message: expect.stringContaining("only be ended by its worker"),
    });
    end.resolve();
    await jobOf(jobwire, name, failing, "DELIVERED");
    await expect(jobwire.jobs.approve(ops, failed.id)).rejects.toMatchObject({
      code: "ILLEGAL_TRANSITION",
    });
  });

  test("[X5] callers of other tenants and users see nothing of it", async () => {
    const { name, queue } = redis.queue();
    const jobwire = await show({ name });
    const { id } = await queue.add("a", {});
    const job = await jobOf(jobwire, name, id);
    for (const stranger of [
      { ...ops, tenantId: "other" },
      { ...ops, userId: "bob", scopes: ["jobs:read"] },
    ]) {
      await expect(jobwire.jobs.get(stranger, job.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect((await jobwire.jobs.list(stranger, {})).items).toEqual([]);
    }
  });

  test("[X6] values of any size and form are shown within bounds, and stop nothing", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    const key = `bull:${name}`;
    const end = gate();
    work(async (job) => {
      if (job.name !== "large") return;
      await job.updateProgress({ text: "x".repeat(10_000) });
      await job.updateProgress({ message: "\ud800 half", ["__proto__"]: 1, deep: [[[]]] });
      await job.log(`${"y".repeat(5000)}\u0000`);
      await end.promise;
      return "z".repeat(6 * 1024 * 1024);
    });
    // Neither JSON nor UTF-8, and no numbers.
    await redis.client.hset(`${key}:odd`, {
      name: Buffer.from([0xff, 0xfe]),
      data: Buffer.from([0x80, 0x22]),
      opts: "{",
      timestamp: "soon",
      atm: "-",
    });
    const event = (...fields: string[]) => redis.client.xadd(`${key}:events`, "*", ...fields);
    await event("event", "waiting", "jobId", "odd");
    await event("event", "added", "jobId", "events", "name", "the id of another key");
    await event("event", "progress", "jobId", "odd", "data", "[".repeat(100_000));
    await event("event", "completed", "jobId", "never there", "returnvalue", "1");
    await event("no", "event");
    await event("event", "added", "jobId", "i".repeat(5000), "name", "");
    const { id } = await queue.add("large", { text: "x".repeat(300_000) });
    const large = await vi.waitFor(async () => {
      const job = await jobOf(jobwire, name, id, "PROCESSING");
      expect(job.version).toBe(4);
      return job;
    });
    end.resolve();
    await jobOf(jobwire, name, id, "DELIVERED");
    const whole = await jobwire.jobs.get(ops, large.id);
    expect(whole).toMatchObject({
      input: { notShown: expect.stringContaining("the limit is 262,144 bytes") },
      output: { notShown: expect.stringContaining("the limit is 5,242,880 bytes") },
    });
    expect((await storyOf(jobwire, large))[3]).toBe("progress: \ufffd half");
    const { items } = await jobwire.jobs.logs(ops, { jobId: large.id });
    expect(items[0]?.message).toHaveLength(2000);
    const odd = await jobOf(jobwire, name, "odd");
    expect(odd).toMatchObject({ title: "\ufffd\ufffd", status: "PENDING" });
    expect((await jobsOf(jobwire, `bullmq:${name}`)).map(({ title }) => title)).toContain(
      "the id of another key",
    );
  });

  test("[X7] it goes on when BullMQ's Redis was away", async () => {
    const { name, queue } = redis.queue();
    const jobwire = await show({ name });
    const { id } = await queue.add("a", {});
    await jobOf(jobwire, name, id, "PENDING");
    await redis.kill();
    await redis.start();
    const { id: next } = await queue.add("b", {});
    await jobOf(jobwire, name, next, "PENDING");
    expect(await jobsOf(jobwire, `bullmq:${name}`)).toHaveLength(2);
  });

  test.each([
    ["does not answer", () => `redis://127.0.0.1:1`, /ECONNREFUSED|closed|retries/],
    [
      "refuses the password",
      () => redis.readOnlyUrl.replace(":reads@", ":wrong@"),
      /WRONGPASS|NOAUTH/,
    ],
  ])(
    "[X7] a Redis that %s is told once, and stops nothing else",
    async (_what, address, reason) => {
      const warned: object[] = [];
      const log = {
        debug() {},
        info() {},
        error() {},
        fatal() {},
        child: () => log,
      } as unknown as Log;
      log.warn = (details: object, message: string) => void warned.push({ ...details, message });
      const queues = [{ name: "mail", tenant: "acme", owner: "ops" }];
      const sources = [bullmqQueues({ connection: address(), queues })];
      const jobwire = createJobwire({ kinds: [], sources, env: data.env, log });
      onTestFinished(async () => void (await jobwire.close()));
      await jobwire.start();
      await vi.waitFor(() => expect(warned).toHaveLength(1));
      expect(warned[0]).toMatchObject({
        queue: "mail",
        reason: expect.stringMatching(reason) as string,
        message: "A BullMQ queue cannot be mirrored right now",
      });
      expect((await jobwire.jobs.list(ops, {})).items).toEqual([]);
    },
  );

  test("[X1] log lines of which BullMQ keeps the newest are copied once each", async () => {
    const { name, queue, work } = redis.queue();
    const jobwire = await show({ name });
    const [more, end] = [gate(), gate()];
    work(async (job) => {
      for (const line of ["1", "2", "3"]) await job.log(line);
      await more.promise;
      for (const line of ["4", "5"]) await job.log(line);
      await end.promise;
    });
    const { id } = await queue.add("a", {}, { keepLogs: 3 });
    const job = await jobOf(jobwire, name, id, "PROCESSING");
    const lines = async () =>
      (await jobwire.jobs.logs(ops, { jobId: job.id })).items.map(({ message }) => message);
    await vi.waitFor(async () => expect(await lines()).toEqual(["1", "2", "3"]));
    more.resolve();
    await vi.waitFor(async () => expect(await lines()).toEqual(["1", "2", "3", "4", "5"]));
    end.resolve();
    await jobOf(jobwire, name, id, "DELIVERED");
    expect(await lines()).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("[X1] [S11] clients of each transport, at each gateway, see the same of a job", async () => {
    const { name, queue, work } = redis.queue();
    const { tenantId: tenant, userId: owner } = LOCAL_PRINCIPAL;
    const here = await show({ name, tenant, owner });
    const there = isMultiProcess ? await show({ name, tenant, owner }) : here;
    const [first, second] = await listenAt(here, there);
    const [begin, end] = [gate(), gate()];
    work(async (job) => {
      await begin.promise;
      await job.updateProgress(40);
      await end.promise;
      throw new Error("No luck");
    });
    const { id } = await queue.add("a", {}, { attempts: 2 });
    const jobs = await vi.waitFor(async () => {
      const { items } = await here.jobs.list(LOCAL_PRINCIPAL, { kind: `bullmq:${name}` });
      expect(items).toMatchObject([{ status: "PROCESSING", details: { id } }]);
      return items;
    });
    const jobId = jobs[0]?.id ?? "";
    const clients = [
      openClient(first, "ws"),
      openClient(first, "sse"),
      openClient(second, "ws"),
      openClient(second, "sse"),
    ];
    const notes = clients.map((client) => watchJob(client, { jobId, lastEventId: "0" }));
    const legacy = await Promise.all([first, second].map((url) => watchLegacy(url, jobId)));
    await vi.waitFor(() => {
      for (const { data: seen } of notes) expect(seen).toHaveLength(2);
      for (const seen of legacy) expect(seen).toHaveLength(1);
    });
    begin.resolve();
    end.resolve();
    await vi.waitFor(() => {
      for (const { state } of notes) expect(state).toBe("complete");
    });
    const story = notes[0]?.data ?? [];
    expect(story.map(textOf)).toEqual([
      "created: Waiting",
      "started: Started",
      "progress: 40 %",
      "retrying: Attempt 1 of 2 failed: No luck. Waiting",
      "started: Started",
      "progress: 40 %",
      "aborted: No luck",
    ]);
    for (const { data: seen } of notes) expect(seen).toEqual(story);
    const messages = story.slice(1).flatMap(legacyOfJob);
    await vi.waitFor(() => {
      for (const seen of legacy) expect(seen).toEqual(messages);
    });
  });

  test.runIf(isMultiProcess)(
    "[X2] two gateways show the same, also after the one that mirrored is gone",
    async () => {
      const { name, queue, work } = redis.queue();
      const both = [await show({ name }), await show({ name })] as const;
      const [begun, end] = [gate(), gate()];
      work(async (job) => {
        await job.updateProgress(10);
        if (job.name === "second") begun.resolve();
        if (job.name === "second") await end.promise;
        return job.name;
      });
      const { id } = await queue.add("first", {});
      const shown = await Promise.all(both.map((each) => jobOf(each, name, id, "DELIVERED")));
      expect(shown[0]).toEqual(shown[1]);
      const logs = await Promise.all(both.map((each) => eventsOf(each, shown[0] as JobSummary)));
      expect(logs[0]?.map(({ type }) => type)).toEqual([
        "created",
        "started",
        "progress",
        "delivered",
      ]);
      expect(logs[1]).toEqual(logs[0]);

      const { id: second } = await queue.add("second", {});
      await begun.promise;
      // It gives the lease back, or never had it.
      await both[0].close();
      end.resolve();
      const job = await jobOf(both[1], name, second, "DELIVERED");
      expect((await eventsOf(both[1], job)).map(({ type }) => type)).toEqual([
        "created",
        "started",
        "progress",
        "delivered",
      ]);
    },
  );
});

test("[X5] the mirror tries nothing that a reader may not do", async () => {
  const { name, queue, work } = redis.queue();
  const jobwire = await show({ name });
  work(() => Promise.resolve(null));
  const { id } = await queue.add("a", {});
  await jobOf(jobwire, name, id, "DELIVERED");
  await queue.obliterate({ force: true });
  const { id: next } = await queue.add("b", {});
  await jobOf(jobwire, name, next);
  // `INFO`, for the version, is no right of theirs: the mirror does without.
  const refused = (await redis.refused()).map((entry) => JSON.stringify(entry));
  const others = refused.filter((entry) => !/"info"|"reason","auth"/.test(entry));
  expect(others).toEqual([]);
  const reader = new Redis(redis.readOnlyUrl, { enableReadyCheck: false });
  onTestFinished(() => reader.disconnect());
  await expect(reader.hset(`bull:${name}:1`, "data", "{}")).rejects.toThrow("NOPERM");
  expect(await redis.refused()).toHaveLength(refused.length + 1);
});
