/** A Redis that stops, hangs, refuses writes or loses data: acknowledged writes are safe, and callers get clear errors. */
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
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };

let redis: TestRedis;
let engine: Engine;
const opened: Engine[] = [];
async function open(url = redis.url): Promise<Engine> {
  const another = await openRedisEngine({ url, checkEveryMs: 20 });
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

test("[J3] a tenant that Redis lost is written again, so that its jobs are found", async () => {
  const engine = await open();
  await engine.createJob(newJob(), new Date());
  await redis.client.flushall();
  const { id } = await engine.createJob(newJob(), new Date());
  const keys = await redis.client.keys("jobwire:{:turns}:*");
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
