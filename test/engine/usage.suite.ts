import { describe, expect } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { QuotaExceeded } from "#server/engine/contract.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  newBatch,
  newJob,
  release,
  START,
  startedJob,
} from "./builders.ts";

const TENANT = ANN.tenant;
/** `{"words":900}` and `null`. */
const NEW_BYTES = 13 + 4;
/** `{"words":900}` and `{"ok":true}`. */
const DELIVERED_BYTES = 13 + 11;

/** What the jobs themselves say. */
async function counted(engine: Engine): Promise<{ waitingJobs: number; bytes: number }> {
  const { items } = await engine.listJobs({ ...ANN, limit: 200 });
  const jobs = await Promise.all(items.map(({ id }) => engine.getJob(id)));
  const open = items.filter(({ status }) => status === "PENDING" || status === "PROCESSING");
  const bytes = jobs.map((job) => jsonBytes(job?.input) + jsonBytes(job?.output));
  return { waitingJobs: open.length, bytes: bytes.reduce((sum, each) => sum + each, 0) };
}

const jsonBytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const quotaOf = async (call: Promise<unknown>) => {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof QuotaExceeded ? [thrown.what, thrown.code] : thrown;
};

export function usageSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("usage", () => {
    test("[R5] what a tenant has is counted with each change, and is nothing again after everything is deleted", async ({
      data,
      engine,
    }) => {
      expect(await engine.usage(TENANT)).toEqual({ waitingJobs: 0, bytes: 0 });
      const done = await startedJob(engine, at(0));
      expect(await engine.usage(TENANT)).toEqual({ waitingJobs: 1, bytes: NEW_BYTES });
      await engine.change(done.jobId, DELIVER, at(1), done);
      expect(await engine.usage(TENANT)).toEqual({ waitingJobs: 0, bytes: DELIVERED_BYTES });

      const { batch, jobs } = newBatch(3);
      jobs.push(newJob({ ...ANN, batchId: batch.id, input: { text: "ä€😀" } }));
      await engine.createBatch(batch, jobs, at(2));
      await engine.createJob(newJob({ tenant: "other" }), at(2));
      expect(await engine.usage(TENANT)).toEqual(await counted(engine));
      expect((await engine.usage("other")).waitingJobs).toBe(1);

      // A job that runs again waits again, and its output is replaced.
      const claim = await claimOne(engine, at(3));
      await engine.change(claim.jobId, START, at(3), claim);
      await engine.change(claim.jobId, release(), at(3), claim);
      expect(await engine.usage(TENANT)).toEqual(await counted(engine));
      for (const { id } of jobs) await engine.change(id, { action: "cancel" }, at(4));
      expect(await engine.usage(TENANT)).toEqual({ ...(await counted(engine)), waitingJobs: 0 });
      await engine.change(jobs[1]?.id ?? "", { action: "retry" }, at(5));
      expect((await engine.usage(TENANT)).waitingJobs).toBe(1);
      await engine.change(jobs[1]?.id ?? "", { action: "cancel" }, at(5));

      await engine.close();
      const again = await data.open();
      expect(await again.usage(TENANT)).toEqual({ ...(await counted(again)), waitingJobs: 0 });
      expect(await again.prune(at(10), 2)).toBe(2);
      expect(await again.usage(TENANT)).toEqual({ ...(await counted(again)), waitingJobs: 0 });
      expect(await again.prune(at(10), 100)).toBe(3);
      expect(await again.usage(TENANT)).toEqual({ waitingJobs: 0, bytes: 0 });
    });

    test("[R5] changes of one moment are counted like those of several", async ({ engine }) => {
      const jobs = Array.from({ length: 20 }, () => newJob());
      await Promise.all(jobs.map((job) => engine.createJob(job, at(0))));
      const claims = await engine.claim({ worker: "w", max: 15, leaseMs: 60_000, now: at(1) });
      const started = claims.map(async (claim) => {
        await engine.change(claim.jobId, START, at(1), claim);
        await engine.change(claim.jobId, DELIVER, at(1), claim);
      });
      const cancelled = jobs.map(({ id }) => engine.change(id, { action: "cancel" }, at(1)));
      await Promise.allSettled([...started, ...cancelled]);
      expect(await engine.usage(TENANT)).toEqual({ ...(await counted(engine)), waitingJobs: 0 });
    });

    test("[R5] the last job that a quota allows is created, and what exceeds it is not, whole or in part", async ({
      engine,
    }) => {
      const three = { waitingJobs: 3, bytes: 0 };
      await engine.createJob(newJob(), at(0), three);
      const { batch, jobs } = newBatch(3);
      expect(await quotaOf(engine.createBatch(batch, jobs, at(0), three))).toEqual([
        "waitingJobs",
        "RATE_LIMITED",
      ]);
      expect(await engine.getBatch(batch.id)).toBeUndefined();
      expect(await engine.getJob(jobs[0]?.id ?? "")).toBeUndefined();
      const two = newBatch(2);
      await engine.createBatch(two.batch, two.jobs, at(0), three);
      expect(await quotaOf(engine.createJob(newJob(), at(0), three))).toEqual([
        "waitingJobs",
        "RATE_LIMITED",
      ]);
      await engine.createJob(newJob({ tenant: "other" }), at(0), three);
      await engine.change(two.jobs[0]?.id ?? "", { action: "cancel" }, at(1));
      await engine.createJob(newJob(), at(1), three);

      const used = await engine.usage(TENANT);
      const bytes = { waitingJobs: 0, bytes: used.bytes + NEW_BYTES };
      await engine.createJob(newJob({ idempotencyKey: "k" }), at(1), bytes);
      expect(await quotaOf(engine.createJob(newJob(), at(1), bytes))).toEqual([
        "bytes",
        "RATE_LIMITED",
      ]);
      // Repeating a creation creates nothing.
      await engine.createJob(newJob({ idempotencyKey: "k" }), at(1), bytes);
      expect(await engine.usage(TENANT)).toEqual(await counted(engine));
    });

    test("a store that says how full it is counts the jobs of all tenants that wait or run", async ({
      data,
      engine,
    }) => {
      if (engine.storage === undefined) return;
      expect(await engine.storage()).toMatchObject({ unsettledJobs: 0 });
      const done = await startedJob(engine, at(0));
      await engine.createJob(newJob({ tenant: "other" }), at(0));
      const { bytes, disk, ...rest } = await engine.storage();
      expect(rest).toEqual({ unsettledJobs: 2 });
      expect(bytes).toBeGreaterThan(4096);
      expect(disk.freeBytes).toBeGreaterThan(0);
      expect(disk.sizeBytes).toBeGreaterThanOrEqual(disk.freeBytes);
      await engine.change(done.jobId, DELIVER, at(1), done);
      expect(await engine.storage()).toMatchObject({ unsettledJobs: 1 });
      await engine.close();
      expect(await codeOf(engine.storage())).toBe("UNAVAILABLE");
      expect(await (await data.open()).storage?.()).toMatchObject({ unsettledJobs: 1 });
    });
  });
}
