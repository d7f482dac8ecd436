import { expect, test } from "vitest";
import { ANN, newJob } from "#test/engine/builders.ts";
import { createKeys } from "./keys.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { redis, open } = useRedis();
const keys = createKeys("jobwire");

const start = () => ({ progress: 1, message: "Begun" });

test("[H7] a claim returns a job with an unreadable input with a fault, and the others unharmed", async () => {
  const engine = await open();
  const jobs = [newJob(), newJob(), newJob()];
  for (const job of jobs) await engine.createJob(job, new Date());
  await redis().client.hset(keys.job(ANN.tenant, jobs[1]?.id ?? ""), "i", "{");
  const claims = await engine.claim({
    worker: "w",
    max: 3,
    leaseMs: 60_000,
    now: new Date(),
    start,
  });
  expect(claims.map(({ jobId }) => jobId).toSorted()).toEqual(jobs.map(({ id }) => id));
  for (const { jobId, job, fault } of claims) {
    expect(fault?.code).toBe(jobId === jobs[1]?.id ? "DATA_UNREADABLE" : undefined);
    expect(job.input).toEqual(jobId === jobs[1]?.id ? null : { words: 900 });
  }
});

test("an old job with an unreadable record does not block the deletion of others", async () => {
  const engine = await open();
  const jobs = [newJob(), newJob(), newJob()];
  for (const job of jobs) {
    await engine.createJob(job, new Date(0));
    await engine.change(job.id, { action: "cancel" }, new Date(1));
  }
  await redis().client.hset(keys.job(ANN.tenant, jobs[0]?.id ?? ""), "s", "{");
  expect(await engine.prune(new Date(2), 10)).toBe(2);
  await expect(engine.prune(new Date(2), 10)).rejects.toMatchObject({ code: "INTERNAL" });
});
