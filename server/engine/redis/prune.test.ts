import { expect, test, vi } from "vitest";
import { ANN, at, BOB, claimOne, newBatch, newId, newJob } from "#test/engine/builders.ts";
import { DELIVER, START } from "#test/engine/builders.ts";
import { createKeys } from "./keys.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { redis, open } = useRedis();
const keys = createKeys("jobwire");

test("after all jobs and batches of an owner are deleted, no key of the owner is left", async () => {
  const engine = await open();
  const ofOwner = async () => (await redis().client.keys(`${keys.owner(ANN)}*`)).toSorted();
  const job = await engine.createJob(
    newJob({ idempotencyKey: "k", kind: "a", scheduleId: newId() }),
    at(0),
  );
  const { batch, jobs } = newBatch(2, { idempotencyKey: "k" });
  await engine.createBatch(batch, jobs, at(0));
  const other = await engine.createJob(newJob(BOB), at(0));
  for (const { id } of jobs) await engine.change(id, { action: "cancel" }, at(1));
  const claim = await claimOne(engine, at(1));
  expect(claim.jobId).toBe(job.id);
  await engine.change(job.id, START, at(1), claim);
  await engine.appendDraft(claim, "text");
  await engine.appendLines(claim, [{ at: at(1), level: "info", message: "line" }]);
  await engine.change(job.id, DELIVER, at(2), claim);
  expect(await ofOwner()).not.toEqual([]);

  // The owner's counter remains while a job is left.
  expect(await engine.prune(at(2), 9)).toBe(2);
  expect(await ofOwner()).toContain(`${keys.owner(ANN)}:rev`);
  expect(await engine.prune(at(3), 9)).toBe(1);
  expect(await ofOwner()).toEqual([]);
  expect(await redis().client.keys(`${keys.owner(BOB)}*`)).not.toEqual([]);

  await engine.change(other.id, { action: "cancel" }, at(3));
  expect(await engine.prune(at(4), 9)).toBe(1);
  const prefix = keys.tenant(ANN.tenant);
  // The jobs of a claim are remembered for as long as it may hold.
  const [taken = ""] = await redis().client.keys(`${prefix}:taken:*`);
  expect(await redis().client.pttl(taken)).toBeGreaterThan(0);
  await redis().client.del(taken);
  const ofTenant = await redis().client.keys(`${prefix}:*`);
  expect(ofTenant.toSorted()).toEqual([`${prefix}:n`, `${prefix}:rev`]);
});

test("[E12] what a job of much data had is freed beside other commands", async () => {
  const engine = await open();
  const { client } = redis();
  const { id } = await engine.createJob(newJob(), at(0));
  // As many pages of a list as Redis does not free at once.
  const log = `${keys.tenant(ANN.tenant)}:log:${id}`;
  for (let index = 0; index < 100; index++) await client.rpush(log, "x".repeat(10_000));
  await engine.change(id, { action: "cancel" }, at(1));
  const freed = async () =>
    Number(/lazyfreed_objects:(\d+)/.exec(await client.info("memory"))?.[1]);
  const before = await freed();
  expect(await engine.prune(at(9), 9)).toBe(1);
  await vi.waitFor(async () => expect(await freed()).toBeGreaterThan(before));
});
