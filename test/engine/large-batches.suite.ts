/** Batches that are stored in steps: other work comes between, and until all of a batch is there it shows nothing (B1, B3). */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect } from "vitest";
import type { Engine, JobQuery } from "#server/engine/contract.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import { ANN, at, codeOf, newBatch, newJob } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

/** Several steps, of any engine, and one job more. */
const JOBS = 2001;
const ALL = 2 * JOBS;

export function largeBatchesSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("large batches", () => {
    test("[B1] [B3] other writes come between its steps, and readers see all of the batch or nothing", async ({
      engine,
    }) => {
      const { batch, jobs } = newBatch(JOBS);
      const others: string[] = [];
      /** The jobs that the feed has shown by a cursor that a reader had meanwhile. */
      const cursors = new Map<number, Set<string>>();
      let hidden = 0;
      await until(engine.createBatch(batch, jobs, at(0)), async () => {
        const other = newJob();
        await engine.createJob(other, at(0));
        others.push(other.id);
        // In this order: what an earlier read finds a later one finds too.
        const { changes, head } = await engine.readFeed(ANN, 0, ALL);
        const batches = [await engine.getBatch(batch.id), (await listBatches(engine))[0]];
        const lists = [
          await listAll(engine),
          await listAll(engine, { owner: undefined, status: "PENDING" }),
          await listAll(engine, { batchId: batch.id }),
        ];
        const first = await engine.getSummary(jobs[0]?.id ?? "");
        const ofBatch = (found: { batchId: string | null }[]) =>
          found.filter(({ batchId }) => batchId === batch.id).length;
        const inFeed = ofBatch(changes.map(({ job }) => job));
        const seen = [
          inFeed > 0,
          ...batches.map((found) => found !== undefined),
          ...lists.map((found) => ofBatch(found) === JOBS),
          ...(ofBatch(lists[2] ?? []) > 0 ? [first !== undefined] : []),
        ];
        expect(seen).toEqual(seen.toSorted((one, two) => Number(one) - Number(two)));
        for (const found of lists) expect([0, JOBS]).toContain(ofBatch(found));
        // The other jobs are listed at once.
        expect((lists[0] ?? []).length - ofBatch(lists[0] ?? [])).toBe(others.length);
        if (seen.every((each) => !each)) hidden += 1;
        cursors.set(head, new Set(changes.map(({ job }) => job.id)));
      });
      expect(hidden).toBeGreaterThan(0);

      const all = [...others, ...jobs.map(({ id }) => id)].toSorted();
      // No cursor from meanwhile misses a job.
      for (const [cursor, early] of cursors) {
        const late = await engine.readFeed(ANN, cursor, ALL);
        const found = early.union(new Set(late.changes.map(({ job }) => job.id)));
        expect([...found].toSorted()).toEqual(all);
      }
      expect((await listAll(engine)).map(({ id }) => id).toSorted()).toEqual(all);
      expect((await engine.getBatch(batch.id))?.counts.PENDING).toBe(JOBS);
    });

    test("[B3] pages of a list pass over what is hidden", async ({ engine }) => {
      const before = newJob();
      await engine.createJob(before, at(0));
      const { batch, jobs } = newBatch(JOBS);
      let pages = 0;
      await until(engine.createBatch(batch, jobs, at(0)), async () => {
        const after = newJob();
        await engine.createJob(after, at(0));
        const first = await engine.listJobs({ ...ANN, limit: 1 });
        expect(first.items.map(({ id }) => id)).toEqual([after.id]);
        const second = await engine.listJobs({ ...ANN, limit: 1, cursor: first.nextCursor ?? "" });
        if (second.items[0]?.batchId !== batch.id) pages += 1;
        expect(second.items).toHaveLength(1);
      });
      expect(pages).toBeGreaterThan(0);
    });

    test("[B3] its jobs are claimed once it is there, in their order, after those that waited before", async ({
      engine,
    }) => {
      const before = newJob();
      await engine.createJob(before, at(0));
      const { batch, jobs } = newBatch(JOBS);
      const given: string[] = [];
      await until(engine.createBatch(batch, jobs, at(0)), async () => {
        given.push(...(await claimAll(engine)).map(({ jobId }) => jobId));
      });
      given.push(...(await claimAll(engine)).map(({ jobId }) => jobId));
      expect(given).toEqual([before.id, ...jobs.map(({ id }) => id)]);
    });

    test("[J21] [J22] [Q2] delays, expiries, priorities and keys of its jobs hold", async ({
      engine,
      data,
    }) => {
      const { batch, jobs } = newBatch(JOBS);
      const [late, urgent, short, keyed] = [jobs[1], jobs[700], jobs[1400], jobs[2000]] as [
        NewJob,
        NewJob,
        NewJob,
        NewJob,
      ];
      Object.assign(late, { startsAt: at(3600) });
      Object.assign(urgent, { priority: 9 });
      Object.assign(short, { expiresInMs: 1000 });
      Object.assign(keyed, { key: "one", priority: 8 });
      await engine.createBatch(batch, jobs, at(0));
      expect(await engine.waiting(late.id)).toMatchObject({ ahead: 0 });
      const limits = { article: { perKey: { concurrency: 1 } } };
      const two = await engine.claim({
        worker: "w",
        max: 2,
        leaseMs: 3_600_000,
        now: at(0),
        limits: new Map(Object.entries(limits)),
      });
      expect(two.map(({ jobId }) => jobId)).toEqual([urgent.id, keyed.id]);
      await data.pass(2000);
      const rest = (await claimAll(engine)).map(({ jobId }) => jobId);
      expect(rest).toHaveLength(JOBS - 4);
      expect(rest).not.toContain(short.id);
      expect(rest).not.toContain(late.id);
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: JOBS - 1 });
      await data.pass(3_600_000);
      const last = (await claimAll(engine)).map(({ jobId }) => jobId);
      expect(last).toContain(late.id);
    });

    test("[B1] one job that cannot be stored leaves nothing of the batch, and its key is free", async ({
      engine,
    }) => {
      const taken = newJob();
      await engine.createJob(taken, at(0));
      const { batch, jobs } = newBatch(JOBS);
      const key = { ...batch, idempotencyKey: "again" };
      const wrong = [...jobs.slice(1), { ...(jobs[0] as NewJob), id: taken.id }];
      const before = await engine.usage(ANN.tenant);
      expect(await codeOf(engine.createBatch(key, wrong, at(0)))).toBe("INTERNAL");
      expect(await engine.usage(ANN.tenant)).toEqual(before);
      expect(await engine.getBatch(batch.id)).toBeUndefined();
      expect((await listAll(engine)).map(({ id }) => id)).toEqual([taken.id]);
      expect((await engine.readFeed(ANN, 0, 9)).changes).toHaveLength(1);
      expect(await engine.getSummary(taken.id)).toBeDefined();
      const { id } = await engine.createBatch(key, jobs, at(0));
      expect(id).toBe(batch.id);
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: JOBS + 1 });
    });

    test("[B1] [J4] calls with one idempotency key store one batch, whatever their sizes", async ({
      engine,
      data,
    }) => {
      const other = subject.capabilities.multiProcess ? await data.open() : engine;
      const calls = [JOBS, 3, JOBS + 7, JOBS].map((count) => newBatch(count));
      const records = await Promise.all(
        calls.map(({ batch, jobs }, index) =>
          (index < 2 ? engine : other).createBatch(
            { ...batch, idempotencyKey: "key" },
            jobs,
            at(0),
          ),
        ),
      );
      expect(new Set(records.map(({ id }) => id)).size).toBe(1);
      expect(await listBatches(engine)).toHaveLength(1);
      const count = records[0]?.counts.PENDING;
      expect(await listAll(engine)).toHaveLength(count ?? -1);
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: count });
      expect(await claimAll(engine)).toHaveLength(count ?? -1);
    });

    test("[B1] two batches of one owner at once are both stored whole", async ({
      engine,
      data,
    }) => {
      const other = subject.capabilities.multiProcess ? await data.open() : engine;
      const [one, two] = [newBatch(JOBS), newBatch(JOBS)];
      const stored = await Promise.all([
        engine.createBatch(one.batch, one.jobs, at(0)),
        other.createBatch(two.batch, two.jobs, at(0)),
      ]);
      expect(stored.map(({ counts }) => counts.PENDING)).toEqual([JOBS, JOBS]);
      const all = [...one.jobs, ...two.jobs].map(({ id }) => id).toSorted();
      expect((await listAll(engine)).map(({ id }) => id).toSorted()).toEqual(all);
      const { changes } = await engine.readFeed(ANN, 0, ALL);
      expect(changes.map(({ job }) => job.id).toSorted()).toEqual(all);
      expect(changes.map(({ rev }) => rev)).toEqual(
        changes.map(({ rev }) => rev).toSorted((a, b) => a - b),
      );
    });

    test("[B4] what is staged of a batch counts in its tenant's usage", async ({ engine }) => {
      const { batch, jobs } = newBatch(JOBS);
      const quota = { waitingJobs: JOBS + 1, bytes: 0 };
      const next = newBatch(2);
      const more: (string | undefined)[] = [];
      await until(engine.createBatch(batch, jobs, at(0), quota), async () => {
        const { waitingJobs } = await engine.usage(ANN.tenant);
        expect([0, JOBS]).toContain(waitingJobs);
        if (waitingJobs === JOBS) {
          more.push(await codeOf(engine.createBatch(next.batch, next.jobs, at(0), quota)));
        }
      });
      expect(more.length).toBeGreaterThan(0);
      expect(new Set(more)).toEqual(new Set(["RATE_LIMITED"]));
      const third = newBatch(JOBS);
      expect(await codeOf(engine.createBatch(third.batch, third.jobs, at(0), quota))).toBe(
        "RATE_LIMITED",
      );
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: JOBS });
      expect(await listAll(engine)).toHaveLength(JOBS);
    });
  });
}

function claimAll(engine: Engine) {
  return engine.claim({ worker: "w", max: ALL, leaseMs: 60_000, now: at(0) });
}

async function listAll(engine: Engine, query: Partial<JobQuery> = {}) {
  return (await engine.listJobs({ ...ANN, limit: ALL, ...query })).items;
}

async function listBatches(engine: Engine) {
  return (await engine.listBatches({ ...ANN, limit: 10 })).items;
}

/** Calls `look` in each turn until the call is answered. */
async function until(answered: Promise<unknown>, look: () => Promise<void>): Promise<void> {
  let isDone = false;
  answered.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  // An answer shows in the turn after its commit.
  while (!isDone) {
    await look();
    await nextTurn();
  }
  await answered;
}
