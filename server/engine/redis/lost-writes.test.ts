/** A Redis that returns without its newest writes: it refuses claims and changes that were based on them. */
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { codeOf, DELIVER, logOf, newBatch, newJob, STEP } from "#test/engine/builders.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const PATIENCE = { timeout: 120_000, interval: 20 };

let redis: TestRedis;
beforeEach(async () => {
  redis = await startRedis(inject("redisServer"), { args: ["--appendonly", "no"] });
});
afterEach(() => redis.close());

/** Runs writes that Redis then loses. */
async function forgetting<T>(what: () => Promise<T>): Promise<T> {
  await redis.client.save();
  const done = await what();
  await redis.kill();
  await redis.start();
  return done;
}

const start = () => ({ progress: 0, message: "Begun" });

async function taken(engine: Engine): Promise<Claim> {
  return vi.waitFor(async () => {
    const request = { worker: "w", max: 1, leaseMs: 60_000, now: new Date() };
    const [claim] = await engine.claim({ ...request, start });
    if (claim === undefined) throw new Error("There was nothing to take.");
    return claim;
  }, PATIENCE);
}

test("[J5] a claim that Redis lost does not hold, even after another runner took the job", async () => {
  const here = await openTestEngine(redis.url);
  const elsewhere = await openTestEngine(redis.url);
  const { id } = await here.createJob(newJob(), new Date());
  const lost = await forgetting(() => taken(here));
  const claim = await taken(elsewhere);
  expect(claim.jobId).toBe(id);
  expect(claim.token).toBeGreaterThan(lost.token);
  expect(await here.renew([lost], 60_000, new Date())).toEqual([lost]);
  expect(await codeOf(here.change(id, STEP, new Date(), lost))).toBe("CLAIM_LOST");
  expect(await codeOf(here.appendDraft(lost, "text"))).toBe("CLAIM_LOST");
  await elsewhere.change(id, DELIVER, new Date(), claim);
  expect((await logOf(here, id)).map(({ type }) => type)).toEqual([
    "created",
    "started",
    "delivered",
  ]);
});

test("[J1] [B2] a change that was computed from a lost record is computed again", async () => {
  const here = await openTestEngine(redis.url);
  const elsewhere = await openTestEngine(redis.url);
  const { batch, jobs } = newBatch(2);
  await here.createBatch(batch, jobs, new Date());
  const [{ id } = newJob()] = jobs;
  await forgetting(() => here.change(id, { action: "cancel" }, new Date()));
  const claim = await taken(elsewhere);
  expect(claim).toMatchObject({ jobId: id, job: { version: 2 } });
  // This process remembers the job as cancelled, at the same version.
  expect(await codeOf(here.change(id, { action: "retry" }, new Date()))).toBe("ILLEGAL_TRANSITION");
  expect((await here.getBatch(batch.id))?.counts).toMatchObject({
    PENDING: 1,
    PROCESSING: 1,
    ABORTED: 0,
  });
  await elsewhere.change(id, DELIVER, new Date(), claim);
  expect((await here.listJobs({ ...batch, limit: 10 })).items).toHaveLength(2);
});
