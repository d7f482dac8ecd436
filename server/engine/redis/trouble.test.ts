/** A Redis that stops, hangs, refuses writes or loses data: acknowledged writes are safe, and callers get clear errors. */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  listen,
  logOf,
  newBatch,
  newJob,
  START,
  startedJob,
  STEP,
} from "#test/engine/builders.ts";
import { openRedisEngine } from "./open.ts";
import { entriesIn } from "#test/redis/queue-entries.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };

let redis: TestRedis;
let engine: Engine;
const opened: Engine[] = [];
async function open(url = redis.url): Promise<Engine> {
  const another = await openRedisEngine({ url, checkEveryMs: 20, lateMs: 0 });
  opened.push(another);
  return another;
}
beforeEach(async () => {
  redis = await startRedis(inject("redisServer"));
  engine = await open();
});
afterEach(async () => {
  redis.resume();
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await redis.close();
});

describe("a Redis that", () => {
  test("[J3] is killed and restarts has lost nothing, and hints arrive again", async () => {
    const held = await startedJob(engine, at(0));
    const heard = await listen(engine, { stream: "job", jobId: held.jobId });
    await redis.kill();
    const during = engine.change(held.jobId, STEP, at(1), held);
    await redis.start();
    // The call either waited for Redis and succeeded, or failed and stored nothing.
    const code = await codeOf(during);
    expect([undefined, "UNAVAILABLE"]).toContain(code);
    const events = await vi.waitFor(() => logOf(engine, held.jobId), PATIENCE);
    expect(events.length).toBeGreaterThanOrEqual(code === undefined ? 3 : 2);
    // Listeners get an empty hint.
    await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0), PATIENCE);
    heard.events.length = 0;
    await engine.change(held.jobId, STEP, at(2), held);
    await vi.waitFor(() => expect(heard.events).toHaveLength(1), PATIENCE);
    await engine.change(held.jobId, DELIVER, at(3), held);
    expect(await engine.getSummary(held.jobId)).toMatchObject({ status: "DELIVERED" });
  });

  test("is down for longer makes commands fail with UNAVAILABLE, and serves them again after a restart", async () => {
    const held = await startedJob(engine, at(0));
    await redis.kill();
    await expect(engine.change(held.jobId, STEP, at(1), held)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      // Clients receive the message, so it must not contain the address.
      message: expect.stringMatching(/^Redis cannot be reached \((?!.*127\.0\.0\.1).*\)/) as string,
    });
    expect(await codeOf(engine.health())).toBe("UNAVAILABLE");
    expect(engine.isAvailable()).toBe(false);
    expect(await codeOf(engine.claim({ worker: "w", max: 1, leaseMs: 1000, now: at(1) }))).toBe(
      "UNAVAILABLE",
    );
    await redis.start();
    await vi.waitFor(() => engine.health(), PATIENCE);
    expect(engine.isAvailable()).toBe(true);
    await engine.change(held.jobId, STEP, at(2), held);
    await engine.createJob(newJob(), at(2));
    await vi.waitFor(
      async () => expect(await claimOne(engine, at(3))).toMatchObject({ job: { attempt: 0 } }),
      PATIENCE,
    );
  });

  test("is silent makes commands fail with UNAVAILABLE, and the message says that their result is unknown", async () => {
    const held = await startedJob(engine, at(0));
    redis.pause();
    await expect(engine.change(held.jobId, STEP, at(1), held)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("may or may not have been executed") as string,
    });
    // A silent Redis does not block `close()` either.
    engine.onWork(() => undefined);
    await engine.close();
    redis.resume();
    engine = await open();
    // A second attempt works whether the first one was executed or not.
    const { event } = await engine.change(held.jobId, STEP, at(2), held);
    expect((await logOf(engine, held.jobId)).at(-1)).toEqual(event);
  });

  test("[J12] is out of memory refuses new jobs with UNAVAILABLE, and stores nothing of them", async () => {
    const before = await engine.createJob(newJob(), at(0));
    await redis.client.config("SET", "maxmemory", "1");
    const { batch, jobs } = newBatch(3);
    for (const call of [
      () => engine.createJob(newJob(), at(1)),
      () => engine.createBatch(batch, jobs, at(1)),
      () => engine.change(before.id, START, at(1)),
      () => engine.health(),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: expect.stringContaining("out of memory") as string,
      });
    }
    expect(await engine.getJob(before.id)).toEqual(before);
    expect((await engine.listJobs({ ...ANN, limit: 10 })).items).toHaveLength(1);
    await redis.client.config("SET", "maxmemory", "0");
    await engine.createBatch(batch, jobs, at(2));
    await engine.health();
    expect((await engine.listJobs({ ...ANN, limit: 10 })).items).toHaveLength(4);
  });

  test("became a replica refuses writes with UNAVAILABLE until it is a master again", async () => {
    const { id } = await engine.createJob(newJob(), at(0));
    await redis.client.replicaof("127.0.0.1", 1);
    await expect(engine.change(id, START, at(1))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/read-only replica|has lost its master/) as string,
    });
    await redis.client.replicaof("NO", "ONE");
    await vi.waitFor(() => engine.change(id, START, at(2)), PATIENCE);
  });

  test("forgets its scripts receives them again, while other commands run", async () => {
    const held = await startedJob(engine, at(0));
    for (let round = 0; round < 20; round += 1) {
      const work = Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? engine.change(held.jobId, STEP, at(1), held)
          : engine.appendDraft(held, `${round}.${index} `),
      );
      await redis.client.script("FLUSH");
      await Promise.all(work);
      await engine.readDraft(held.jobId, 0);
    }
    expect(await logOf(engine, held.jobId)).toHaveLength(202);
    const pieces = (await engine.readDraft(held.jobId, 0))?.pieces ?? [];
    expect(pieces.map(({ text }) => text)).toEqual(
      Array.from(
        { length: 200 },
        (_, index) => `${Math.floor(index / 10)}.${2 * (index % 10) + 1} `,
      ),
    );
  });
});

async function forgetQueue(): Promise<void> {
  const keys = await redis.client.keys("?jobwire?:jobs:*");
  expect(keys.length).toBeGreaterThan(0);
  await redis.client.del(keys);
}

/** Returns the jobs of the entries in one of BullMQ's lists. */
async function queued(list: "wait" | "active"): Promise<string[]> {
  const entries = await entriesIn(redis.client, list);
  return entries.flatMap(({ places }) => places.map(({ jobId }) => jobId));
}

describe("the queue", () => {
  test("[J3] that lost its data is filled again from the records", async () => {
    const { batch, jobs } = newBatch(30);
    await engine.createBatch(batch, jobs, new Date());
    const [running] = await engine.claim({
      worker: "w",
      max: 1,
      leaseMs: 60_000,
      now: new Date(),
      start: () => ({ progress: 1, message: "Started" }),
    });
    await forgetQueue();
    const seen = new Set<string>();
    engine.onWork(() => undefined);
    await vi.waitFor(async () => {
      const request = { worker: "w", max: 10, leaseMs: 60_000, now: new Date() };
      for (const { jobId } of await engine.claim(request)) seen.add(jobId);
      expect(seen.size).toBe(29);
    }, PATIENCE);
    // Running jobs continue, and no other claim gets them.
    expect(seen).not.toContain(running?.jobId);
    if (running) await engine.change(running.jobId, DELIVER, new Date(), running);
    expect((await engine.getBatch(batch.id))?.counts).toMatchObject({ DELIVERED: 1, PENDING: 29 });
  });

  test("receives a job whose process died before it queued the job", async () => {
    const { id } = await engine.createJob(newJob(), new Date());
    await forgetQueue();
    const other = await open();
    other.onWork(() => undefined);
    await vi.waitFor(async () => {
      const request = { worker: "w", max: 1, leaseMs: 1000, now: new Date() };
      expect(await other.claim(request)).toMatchObject([{ jobId: id }]);
    }, PATIENCE);
  });

  test("[J5] with several entries of the same job returns it once, and drops places that match no record", async () => {
    const job = await engine.createJob(newJob(), new Date());
    const gone = newJob();
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const queue = new Queue("jobs", { connection, prefix: "{jobwire}" });
    for (const name of [`${job.id}.1`, `${job.id}.7`, `${gone.id}.1`]) {
      await queue.add("job", { tenant: job.tenant }, { jobId: name });
    }
    expect(await queue.getWaitingCount()).toBe(3);
    const request = { worker: "w", max: 9, leaseMs: 60_000, now: new Date() };
    const [claim, ...others] = await engine.claim(request);
    expect([claim?.jobId, others]).toEqual([job.id, []]);
    // Add the same entry again while a claim holds the job.
    await queue.add("job", { tenant: job.tenant }, { jobId: `${job.id}.1` });
    expect(await engine.claim(request)).toEqual([]);
    if (claim) await engine.change(job.id, START, new Date(), claim);
    if (claim) await engine.change(job.id, DELIVER, new Date(), claim);
    await vi.waitFor(async () =>
      expect(await queue.getJobCounts("wait", "active", "delayed")).toEqual({
        wait: 0,
        active: 0,
        delayed: 0,
      }),
    );
    await queue.close();
    connection.disconnect();
  });

  test.each(["there", "lost meanwhile"])(
    "[J5] whose entries are %s ends those of jobs that ended when it gives the next",
    async (entries) => {
      const { batch, jobs } = newBatch(9);
      await engine.createBatch(batch, jobs, at(0));
      const given: string[] = [];
      const claim = async () => {
        const request = { worker: "w", max: 3, leaseMs: 60_000, now: new Date() };
        const claims = await engine.claim(request);
        given.push(...claims.map(({ jobId }) => jobId));
        return claims;
      };
      const held = await claim();
      expect(held).toHaveLength(3);
      await Promise.all(held.map((each) => engine.change(each.jobId, START, new Date(), each)));
      engine.onWork(() => undefined);
      if (entries === "lost meanwhile") await forgetQueue();
      await Promise.all(held.map((each) => engine.change(each.jobId, DELIVER, new Date(), each)));
      // The sweep finds lost jobs.
      await vi.waitFor(async () => {
        await claim();
        expect(given).toHaveLength(9);
      }, PATIENCE);
      expect(given.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
      // The last six run, and the queue has nothing else.
      await vi.waitFor(async () => {
        expect((await queued("active")).toSorted()).toEqual(given.slice(3).toSorted());
        expect(await queued("wait")).toEqual([]);
      }, PATIENCE);
    },
  );
});

test("[J3] a tenant that Redis lost is written again, so that its jobs are found", async () => {
  const engine = await open();
  await engine.createJob(newJob(), new Date());
  await redis.client.flushall();
  const { id } = await engine.createJob(newJob(), new Date());
  const keys = await redis.client.keys("?jobwire?:jobs:*");
  await redis.client.del(keys);
  engine.onWork(() => undefined);
  const claim = await vi.waitFor(() => claimOne(engine, new Date()), { timeout: 120_000 });
  expect(claim.jobId).toBe(id);
});

describe("a Redis that cannot be used", () => {
  test("because no server listens is UNAVAILABLE, and the message has its address without the password", async () => {
    const url = `redis://ann:secret@127.0.0.1:1`;
    const error = await open(url).then(
      () => undefined,
      (thrown: Error & { code: string }) => thrown,
    );
    expect(error?.code).toBe("UNAVAILABLE");
    expect(error?.message).toContain("redis://127.0.0.1:1");
    expect(error?.message).not.toContain("secret");
  });

  test("because it would delete keys when full is DATA_UNUSABLE, and the message names the setting", async () => {
    await redis.client.config("SET", "maxmemory-policy", "allkeys-lru");
    await expect(open()).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining('Set maxmemory-policy to "noeviction"') as string,
    });
  });

  test("because the password is wrong is DATA_UNUSABLE", async () => {
    await redis.client.config("SET", "requirepass", "secret");
    await expect(open()).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining("refuses the connection") as string,
    });
    await redis.client.auth("secret");
    await redis.client.config("SET", "requirepass", "");
  });

  test("because its user may not publish is DATA_UNUSABLE, and nothing is stored", async () => {
    await redis.client.acl("SETUSER", "half", "on", ">secret", "+@all", "~*");
    await expect(open(redis.url.replace("//", "//half:secret@"))).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining('the channels "jobwire:*"') as string,
    });
  });

  test("because its data is of a newer version is DATA_UNUSABLE", async () => {
    await redis.client.set("jobwire:schema", "99");
    await expect(open()).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining("newer version") as string,
    });
  });
});
