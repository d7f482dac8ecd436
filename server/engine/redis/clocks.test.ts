/** Processes whose clocks differ: the queue goes by Redis' clock alone. */
import { expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { newJob, newWorker, release } from "#test/engine/builders.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const AHEAD_MS = 20_000;
const LEASE_MS = 30_000;

const { open } = useRedis();

const ahead = () => new Date(Date.now() + AHEAD_MS);
const claim = (engine: Engine, now = new Date()) =>
  engine.claim({ worker: "w", max: 1, leaseMs: LEASE_MS, now, start: () => BEGIN });
const BEGIN = { progress: 0, message: "Job started" };

test("a gateway whose clock is ahead delays no job", async () => {
  const [gateway, worker] = [await open(), await open()];
  await gateway.createJob(newJob(), ahead());
  expect(await claim(worker)).toHaveLength(1);
});

test("a worker whose clock is ahead delays no job that it releases", async () => {
  const [there, here] = [await open(), await open()];
  await there.createJob(newJob(), new Date());
  const [held] = await claim(there, ahead());
  if (held === undefined) throw new Error("The job was not given.");
  await there.change(held.jobId, release(), ahead(), held);
  expect(await claim(here)).toHaveLength(1);
});

test("a worker whose clock is behind by more than its lease counts as present", async () => {
  const engine = await open();
  await engine.workers.announce(newWorker({ id: "w" }), LEASE_MS);
  expect(await engine.workers.count()).toBe(1);
});
