import { expect, test } from "vitest";
import {
  ANN,
  at,
  BOB,
  claimOne,
  DELIVER,
  newBatch,
  newJob,
  START,
  STEP,
} from "#test/engine/builders.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";
import { createKeys } from "./keys.ts";

const { redis, open } = useRedis();
const keys = createKeys("jobwire");

test("a process that remembers a job as the earlier owner's goes on with it as the new one's", async () => {
  const [here, elsewhere] = [await open(), await open()];
  const job = await here.createJob(newJob(), at(0));
  const claim = await claimOne(elsewhere, at(1));
  await elsewhere.change(job.id, START, at(1), claim);
  expect(await here.assign(ANN, BOB, 9)).toMatchObject({ moved: 1 });
  await elsewhere.change(job.id, STEP, at(2), claim);
  await elsewhere.change(job.id, DELIVER, at(3), claim);
  for (const engine of [here, elsewhere]) {
    expect(await engine.getSummary(job.id)).toMatchObject({ ...BOB, status: "DELIVERED" });
    expect((await engine.listJobs({ ...ANN, limit: 9 })).items).toEqual([]);
    expect((await engine.listJobs({ ...BOB, limit: 9 })).items).toHaveLength(1);
    expect((await engine.readFeed(ANN, 0, 9)).changes).toEqual([]);
  }
});

test("no key of the earlier owner is left, and none of the new one after its jobs were deleted", async () => {
  const engine = await open();
  await engine.createJob(newJob({ idempotencyKey: "k" }), at(0));
  const { batch, jobs } = newBatch(2, { idempotencyKey: "k" });
  await engine.createBatch(batch, jobs, at(0));
  await engine.assign(ANN, BOB, 9);
  expect(await redis().client.keys(`${keys.owner(ANN)}*`)).toEqual([]);
  for (const { id } of (await engine.listJobs({ ...BOB, limit: 9 })).items) {
    await engine.change(id, { action: "cancel" }, at(1));
  }
  expect(await engine.prune(at(2), 9)).toBe(3);
  expect(await redis().client.keys(`${keys.owner(BOB)}*`)).toEqual([]);
});
