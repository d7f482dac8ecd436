/** What a process remembers and guesses when it takes jobs: both may be wrong, and neither costs a job anything. */
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { newBatch, newJob, release } from "#server/engine/suites/material.ts";
import { openRedisEngine } from "./open.ts";
import { startRedis, type TestRedis } from "./test-server.ts";

let redis: TestRedis;
const opened: Engine[] = [];
async function open(): Promise<Engine> {
  const engine = await openRedisEngine({ url: redis.url });
  opened.push(engine);
  return engine;
}
beforeEach(async () => {
  redis = await startRedis(inject("redisServer"));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await redis.close();
});

const BEGIN = { progress: 0, message: "Job started" };
function take(engine: Engine, max: number) {
  return engine.claim({ worker: "w", max, leaseMs: 60_000, now: new Date(), start: () => BEGIN });
}

/** How often the queue was asked for what is next. */
async function asked(): Promise<number> {
  const stats = await redis.client.info("commandstats");
  return Number(/^cmdstat_rpoplpush:calls=(\d+)/m.exec(stats)?.[1]);
}

test("a job that changed elsewhere since it was seen here is taken and started as it is now", async () => {
  const here = await open();
  const elsewhere = await open();
  const { id } = await here.createJob(newJob(), new Date());
  const [first] = await take(elsewhere, 1);
  if (first) await elsewhere.change(id, release(new Date()), new Date(), first);
  const [claim] = await take(here, 1);
  expect(claim?.started).toMatchObject({ type: "started", seq: 4 });
  expect(claim?.job).toMatchObject({ id, version: 4, attempt: 2, input: { words: 900 } });
});

test("a job that is cancelled elsewhere is not taken", async () => {
  const here = await open();
  const elsewhere = await open();
  const { id } = await here.createJob(newJob(), new Date());
  await elsewhere.change(id, { action: "cancel" }, new Date());
  expect(await take(here, 5)).toEqual([]);
  expect(await here.getSummary(id)).toMatchObject({ status: "ABORTED" });
});

test("room for many asks Redis about few where few come, and takes all of many", async () => {
  const engine = await open();
  const rounds = 5;
  for (let round = 0; round < rounds; round += 1) {
    await engine.createJob(newJob(), new Date());
    expect(await take(engine, 50)).toHaveLength(1);
  }
  expect(await asked()).toBeLessThanOrEqual(3 * rounds);
  const { batch, jobs } = newBatch(300);
  await engine.createBatch(batch, jobs, new Date());
  expect(await take(engine, 200)).toHaveLength(200);
  expect(await take(engine, 200)).toHaveLength(100);
});
