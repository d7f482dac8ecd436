/** One mirror of one queue, step by step, on an engine that fails where a test says. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Engine } from "#server/engine/contract.ts";
import { openSqliteEngine } from "#server/engine/sqlite/open.ts";
import type { MirrorEngine } from "#server/sources/open.ts";
import { startBullmqRedis } from "#test/bullmq/bullmq.fixture.ts";
import { createEventStream } from "./event-stream.ts";
import { queueKeys } from "./queue-keys.ts";
import { createQueueMirror } from "./queue-mirror.ts";

const TENANT = "acme";
const OWNER = "ops";

const bullmq = await startBullmqRedis(inject("redisServer"));
let redis: Redis;
let engine: Engine;
let dir: string;
beforeAll(async () => {
  redis = new Redis(bullmq.readOnlyUrl, { enableReadyCheck: false });
  dir = await mkdtemp(join(tmpdir(), "jobwire-mirror-"));
  engine = await openSqliteEngine({ dataDir: dir });
});
afterAll(async () => {
  redis.disconnect();
  await engine.close();
  await rm(dir, { recursive: true });
  await bullmq.close();
});

class Killed extends Error {}

/** As the engine for a process that is killed at its call `at` for the first time: before it reaches the engine, or after. */
function dying(
  at: number,
  when: "before" | "after",
): { engine: MirrorEngine; calls: () => number } {
  let calls = 0;
  const around = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value: unknown = Reflect.get(of, name);
        if (typeof value === "object" && value !== null) return around(value);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          calls += 1;
          if (calls > at || (calls === at && when === "before")) throw new Killed();
          const answer: unknown = await Reflect.apply(value, of, args);
          if (calls >= at) throw new Killed();
          return answer;
        };
      },
    });
  return { engine: around<MirrorEngine>(engine), calls: () => calls };
}

function mirrorOf(queue: string, kind: string, by: MirrorEngine, holder = "a") {
  const mirror = { name: kind, tenant: TENANT };
  return createQueueMirror({
    engine: by,
    holder,
    clock: SYSTEM_CLOCK,
    log: pino({ level: "silent" }),
    redis,
    keys: queueKeys("bull", queue),
    mirror,
    owner: { tenant: TENANT, owner: OWNER },
    queue,
    isControlled: false,
    history: 100,
    isClosed: () => false,
  });
}

/** Until all events are read, and all that is gone was looked for. */
async function run(mirror: ReturnType<typeof mirrorOf>): Promise<void> {
  expect(await mirror.begin()).toBe(true);
  let position: string | undefined;
  for (;;) {
    const reached = await mirror.advance();
    if (reached === position) break;
    position = reached;
  }
  await mirror.tend();
  await mirror.advance();
}

/** The jobs of a kind by their ids in BullMQ, with all that their logs show. */
async function storiesOf(kind: string): Promise<[id: string, ...story: unknown[]][]> {
  const { items } = await engine.listJobs({ tenant: TENANT, kind, limit: 200 });
  const stories = items.map(async ({ id, details }): Promise<[string, ...unknown[]]> => {
    const events = (await engine.readEvents(id, 0, 1000))?.events ?? [];
    const lines = (await engine.readLines(id, 0, 1000))?.lines ?? [];
    const payload = await engine.getJob(id);
    return [
      (details as { id: string }).id,
      events.map(({ type, message, progress, attempt }) => [type, message, progress, attempt]),
      lines.map(({ message }) => message),
      payload?.output,
    ];
  });
  return (await Promise.all(stories)).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** Jobs that succeed, fail, retry, report, log, vanish at once and are run again. */
async function eventful(): Promise<string> {
  const { name, queue, work } = bullmq.queue();
  const worker = work(async (job) => {
    await job.updateProgress(30);
    await job.log(`attempt ${job.attemptsMade}`);
    if (job.name === "bad") throw new Error("No luck");
    return job.name;
  });
  await queue.add("good", { n: 1 });
  await queue.add("bad", {}, { attempts: 2 });
  await queue.add("quick", {}, { removeOnComplete: true });
  await vi.waitFor(async () => expect(await queue.getFailedCount()).toBe(1));
  await vi.waitFor(async () => expect(await queue.getActiveCount()).toBe(0));
  await worker.close();
  await queue.add("waits", {}, { delay: 3_600_000 });
  const { id } = await queue.add("removed", {});
  await queue.remove(id ?? "");
  // All of it is in one batch of events.
  await queue.add("once", { n: 2 }, { jobId: "same" });
  await queue.remove("same");
  await queue.add("again", { n: 3 }, { jobId: "same" });
  // Its start was not seen.
  const event = (...fields: string[]) => bullmq.client.xadd(`bull:${name}:events`, "*", ...fields);
  await event("event", "added", "jobId", "ghost", "name", "ghost");
  await event("event", "completed", "jobId", "ghost", "returnvalue", "7");
  return name;
}

/** From the first event on, as if the mirror had been there before them. */
async function fromTheStart(kind: string): Promise<void> {
  const mirror = { name: kind, tenant: TENANT };
  await engine.mirrors.hold({ mirror, holder: "a", leaseMs: 1000, position: "0-0" });
}

test("[X2] a mirror that is killed at any of its calls neither doubles nor loses an event", async () => {
  const queue = await eventful();
  await fromTheStart("bullmq:whole");
  await run(mirrorOf(queue, "bullmq:whole", engine));
  const whole = await storiesOf("bullmq:whole");
  expect(whole.slice(-3).map(([id, events]) => [id, events])).toEqual([
    [
      "ghost",
      [
        ["created", "Waiting", 0, 0],
        ["started", "Started", 0, 1],
        ["delivered", "Completed", 100, 1],
      ],
    ],
    ["same", [["created", "Waiting", 0, 0]]],
    [
      "same",
      [
        ["created", "Waiting", 0, 0],
        ["aborted", "Removed", 0, 0],
      ],
    ],
  ]);
  expect(whole).toHaveLength(8);
  const counted = dying(Infinity, "after");
  await fromTheStart("bullmq:counted");
  await run(mirrorOf(queue, "bullmq:counted", counted.engine));
  expect(counted.calls()).toBeGreaterThan(20);
  expect(await storiesOf("bullmq:counted")).toEqual(whole);

  for (const when of ["before", "after"] as const) {
    for (let at = 1; at <= counted.calls(); at += 1) {
      const kind = `bullmq:${when}-${at}`;
      await fromTheStart(kind);
      await expect(run(mirrorOf(queue, kind, dying(at, when).engine))).rejects.toThrow(Killed);
      // Its lease ends.
      await engine.mirrors.release({ name: kind, tenant: TENANT }, "a");
      // BullMQ may have forgotten a job by then.
      const job = `bull:${queue}:1`;
      if (when === "after") await bullmq.client.rename(job, "away");
      await run(mirrorOf(queue, kind, engine, "b"));
      if (when === "after") await bullmq.client.rename("away", job);
      expect([kind, await storiesOf(kind)]).toEqual([kind, whole]);
    }
  }
});

test("[X2] a mirror that goes on after another took its place changes nothing twice", async () => {
  const queue = await eventful();
  const kind = "bullmq:both";
  await fromTheStart(kind);
  const mirror = { name: kind, tenant: TENANT };
  const slow = mirrorOf(queue, kind, engine, "a");
  expect(await slow.begin()).toBe(true);
  await engine.mirrors.release(mirror, "a");
  const [reached] = await Promise.all([slow.advance(), run(mirrorOf(queue, kind, engine, "b"))]);
  // Its lease is lost, which it learns when it stores its position.
  expect(reached).toBeUndefined();
  await fromTheStart("bullmq:alone");
  await run(mirrorOf(queue, "bullmq:alone", engine));
  expect(await storiesOf(kind)).toEqual(await storiesOf("bullmq:alone"));
});

test("[X2] reading all jobs anew changes nothing that was shown", async () => {
  const queue = await eventful();
  const kind = "bullmq:anew";
  await fromTheStart(kind);
  await run(mirrorOf(queue, kind, engine));
  const before = await storiesOf(kind);
  // As without a stored position: a mirror that was never there.
  const never: MirrorEngine = {
    ...engine,
    mirrors: { ...engine.mirrors, hold: async () => ({ position: null }) },
  };
  await run(mirrorOf(queue, kind, never));
  expect(await storiesOf(kind)).toEqual(before);
});

test("[X3] [X4] a job that went while no position was stored ends with the mark of a gap", async () => {
  const { name, queue } = bullmq.queue();
  const kind = "bullmq:moved";
  await fromTheStart(kind);
  const { id } = await queue.add("a", {});
  await run(mirrorOf(name, kind, engine));
  await queue.remove(id ?? "");
  // As after a migration to another engine.
  const never: MirrorEngine = {
    ...engine,
    mirrors: { ...engine.mirrors, hold: async () => ({ position: null }) },
  };
  await run(mirrorOf(name, kind, never));
  const { items } = await engine.listJobs({ tenant: TENANT, kind, limit: 9 });
  expect(items).toMatchObject([
    { status: "ABORTED", error: { code: "REMOVED" }, details: { gap: true } },
  ]);
});

test("[X1] events that BullMQ writes together are read together", async () => {
  const { name } = bullmq.queue();
  const keys = queueKeys("bull", name);
  const add = (...types: string[]) =>
    types.map((type) => bullmq.client.xadd(keys.events, "*", "event", type, "jobId", "1"));
  // As many as the first batch has.
  const first = Array.from({ length: 15 }, () => "progress");
  await Promise.all(add(...first, "waiting", "stalled"));
  const stream = createEventStream(redis, keys);
  const before = await stream.read("0-0");
  const read = before.lost ? [] : before.events;
  expect(read.map(({ type }) => type)).toEqual(first);
  const after = await stream.read(read.at(-1)?.id ?? "");
  expect(after).toMatchObject({ isLast: true, events: [{ type: "waiting" }, { type: "stalled" }] });
});

test("[X6] a queue that is faster than the mirror waits in its stream, in batches", async () => {
  const { name, queue } = bullmq.queue();
  const { id } = await queue.add("busy", {});
  const reports = Array.from({ length: 3000 }, (_, n) =>
    bullmq.client.xadd(
      `bull:${name}:events`,
      "*",
      "event",
      "progress",
      "jobId",
      id ?? "",
      "data",
      `${n}`,
    ),
  );
  await Promise.all(reports);
  const kind = "bullmq:busy";
  await fromTheStart(kind);
  const mirror = mirrorOf(name, kind, engine);
  await mirror.begin();
  const reads = vi.spyOn(redis, "multi");
  onTestFinished(() => reads.mockRestore());
  await run(mirror);
  expect(reads.mock.calls.length).toBeGreaterThan(5);
  const { items } = await engine.listJobs({ tenant: TENANT, kind, limit: 9 });
  expect(items).toMatchObject([{ version: 3001, message: "2999 %" }]);
});
