import { describe, expect } from "vitest";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  BOB,
  claimOne,
  codeOf,
  DELIVER,
  logOf,
  newBatch,
  newId,
  newJob,
  START,
  STEP,
} from "./builders.ts";

export function batchesSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("batches", () => {
    test("[B2] a batch counts its jobs, and each job names it", async ({ engine }) => {
      const { batch, jobs } = newBatch(3);
      const record = await engine.createBatch(batch, jobs, at(0));
      expect(record).toEqual({
        ...batch,
        counts: { PENDING: 3, PROCESSING: 0, DELIVERED: 0, BLOCKED: 0, ABORTED: 0 },
        version: 1,
        createdAt: at(0),
        updatedAt: at(0),
      });
      expect(await engine.getBatch(batch.id)).toEqual(record);
      for (const { id } of jobs) {
        expect(await engine.getJob(id)).toMatchObject({ batchId: batch.id, status: "PENDING" });
        expect(await logOf(engine, id)).toHaveLength(1);
      }
    });

    test("its jobs are queued in the given order", async ({ engine }) => {
      const { batch, jobs } = newBatch(5);
      const given = jobs.toReversed();
      await engine.createBatch(batch, given, at(0));
      const claims = await engine.claim({ worker: "w", max: 9, leaseMs: 1000, now: at(0) });
      expect(claims.map(({ jobId }) => jobId)).toEqual(given.map(({ id }) => id));
    });

    test("its version counts the changes of its counts, and progress is none", async ({
      engine,
    }) => {
      const { batch, jobs } = newBatch(2);
      await engine.createBatch(batch, jobs, at(0));
      const { jobId } = await claimOne(engine, at(1));
      await engine.change(jobId, START, at(1));
      expect(await engine.getBatch(batch.id)).toMatchObject({ version: 2, updatedAt: at(1) });
      await engine.change(jobId, STEP, at(2));
      expect(await engine.getBatch(batch.id)).toMatchObject({ version: 2, updatedAt: at(1) });
      await engine.change(jobId, DELIVER, at(3));
      expect(await engine.getBatch(batch.id)).toMatchObject({
        version: 3,
        updatedAt: at(3),
        counts: { PENDING: 1, PROCESSING: 0, DELIVERED: 1, BLOCKED: 0, ABORTED: 0 },
      });
    });

    test("[J14] a name with a lone surrogate is refused, and nothing is stored", async ({
      engine,
    }) => {
      const { batch, jobs } = newBatch(1, { name: "Spring \ud83d" });
      expect(await codeOf(engine.createBatch(batch, jobs, at(0)))).toBe("BAD_REQUEST");
      expect(await engine.getBatch(batch.id)).toBeUndefined();
    });

    test("[B1] [J2] when one job cannot be stored nothing of the batch is", async ({ engine }) => {
      const taken = await engine.createJob(newJob(), at(0));
      const { batch, jobs } = newBatch(5);
      const bad = jobs.map((job, index) => (index === 3 ? { ...job, id: taken.id } : job));
      expect(await codeOf(engine.createBatch(batch, bad, at(1)))).toBe("INTERNAL");
      expect(await engine.getBatch(batch.id)).toBeUndefined();
      expect((await engine.listJobs({ ...ANN, limit: 10 })).items).toHaveLength(1);
      expect((await engine.listBatches({ ...ANN, limit: 10 })).items).toEqual([]);
      expect((await engine.readFeed(ANN, 0, 10)).changes).toHaveLength(1);
      expect(await engine.claim({ worker: "w", max: 9, leaseMs: 1000, now: at(2) })).toHaveLength(
        1,
      );
    });

    test("jobs that do not fit the batch are refused", async ({ engine }) => {
      const { batch, jobs } = newBatch(1);
      const [job = newJob()] = jobs;
      const refused = [
        [],
        [{ ...job, batchId: null }],
        [{ ...job, batchId: newId() }],
        [{ ...job, ...BOB }],
        [{ ...job, tenant: "other" }],
        [{ ...job, idempotencyKey: "k" }],
      ];
      for (const bad of refused) {
        expect(await codeOf(engine.createBatch(batch, bad, at(0)))).toBe("BAD_REQUEST");
      }
      await engine.createBatch(batch, jobs, at(0));
      expect(await codeOf(engine.createJob(newJob({ batchId: batch.id }), at(1)))).toBe(
        "BAD_REQUEST",
      );
      expect((await engine.getBatch(batch.id))?.counts.PENDING).toBe(1);
    });

    test("[J4] a key that was used gives the first batch, and stores nothing", async ({
      engine,
    }) => {
      const first = newBatch(2, { idempotencyKey: "k" });
      const record = await engine.createBatch(first.batch, first.jobs, at(0));
      const others = await Promise.all(
        Array.from({ length: 5 }, () => {
          const again = newBatch(3, { idempotencyKey: "k" });
          return engine.createBatch(again.batch, again.jobs, at(1));
        }),
      );
      for (const other of others) expect(other).toEqual(record);
      expect((await engine.listJobs({ ...ANN, limit: 10 })).items).toHaveLength(2);
    });

    test(`${MAX_BATCH_JOBS} jobs are one batch`, async ({ engine }) => {
      const { batch, jobs } = newBatch(MAX_BATCH_JOBS);
      await engine.createBatch(batch, jobs, at(0));
      expect((await engine.getBatch(batch.id))?.counts.PENDING).toBe(MAX_BATCH_JOBS);
      expect((await engine.readFeed(ANN, 0, 1)).head).toBe(MAX_BATCH_JOBS);
      await Promise.all(jobs.map(({ id }) => engine.change(id, { action: "cancel" }, at(1))));
      expect(await engine.getBatch(batch.id)).toMatchObject({
        counts: { PENDING: 0, ABORTED: MAX_BATCH_JOBS },
        version: MAX_BATCH_JOBS + 1,
      });
    });
  });
}
