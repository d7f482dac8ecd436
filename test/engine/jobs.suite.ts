import fc from "fast-check";
import { describe, expect } from "vitest";
import { CREATED_MESSAGE } from "#shared/lifecycle.ts";
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
} from "./builders.ts";

export function jobsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("creating jobs", () => {
    test("a new job is PENDING, and its log begins with `created`", async ({ engine }) => {
      const fresh = newJob();
      const job = await engine.createJob(fresh, at(0));
      expect(job).toEqual({
        ...fresh,
        status: "PENDING",
        progress: 0,
        message: CREATED_MESSAGE,
        attempt: 0,
        retries: 0,
        error: null,
        priority: 0,
        maxAttempts: null,
        scheduleId: null,
        createdAt: at(0),
        startsAt: null,
        expiresAt: null,
        startedAt: null,
        finishedAt: null,
        version: 1,
        output: null,
      });
      expect(await engine.getJob(fresh.id)).toEqual(job);
      expect(await logOf(engine, fresh.id)).toEqual([
        {
          jobId: fresh.id,
          seq: 1,
          at: at(0),
          attempt: 0,
          type: "created",
          status: "PENDING",
          progress: 0,
          message: CREATED_MESSAGE,
        },
      ]);
    });

    test("the summary is the job without input and output", async ({ engine }) => {
      const {
        input: _input,
        output: _output,
        ...summary
      } = await engine.createJob(newJob(), at(0));
      expect(await engine.getSummary(summary.id)).toEqual(summary);
    });

    test("input and output come back as they were given, whatever JSON they are", async ({
      engine,
    }) => {
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (given, made) => {
          // JSON has no -0.
          const [input, output] = [given, made].map(
            (it) => JSON.parse(JSON.stringify(it)) as unknown,
          );
          const { id } = await engine.createJob(newJob({ input }), at(0));
          await engine.change(id, START, at(1));
          await engine.change(id, { ...DELIVER, output } as typeof DELIVER, at(2));
          expect(await engine.getJob(id)).toMatchObject({ input, output });
        }),
        { numRuns: 30 },
      );
    });

    test("[J13] every key comes back, also those that objects have of themselves", async ({
      engine,
    }) => {
      const json = '{"__proto__":{"a":1},"constructor":{"prototype":[{"__proto__":null}]},"":2}';
      const { id } = await engine.createJob(newJob({ input: JSON.parse(json) }), at(0));
      await engine.change(id, START, at(1));
      await engine.change(id, { ...DELIVER, output: JSON.parse(json) } as typeof DELIVER, at(2));
      const job = await engine.getJob(id);
      expect([job?.input, job?.output].map((it) => JSON.stringify(it))).toEqual([json, json]);
    });

    test("texts come back as they were given, also quotes, NUL and emoji", async ({ engine }) => {
      const title = `"it's" \0 % _ \\ 👩‍💻 åäö`;
      const job = await engine.createJob(newJob({ title }), at(0));
      expect((await engine.getJob(job.id))?.title).toBe(title);
    });

    test("an input that is not JSON is refused, and nothing is stored", async ({ engine }) => {
      const job = newJob({ input: { size: 1n } });
      expect(await codeOf(engine.createJob(job, at(0)))).toBe("BAD_REQUEST");
      expect(await engine.getJob(job.id)).toBeUndefined();
      expect(await engine.readFeed(ANN, 0, 10)).toEqual({ changes: [], head: 0 });
    });

    test("[J14] idempotency keys with lone surrogates are refused, and never meet in one job", async ({
      engine,
    }) => {
      for (const idempotencyKey of ["\ud83d", "\ude00", "a\ud800"]) {
        expect(await codeOf(engine.createJob(newJob({ idempotencyKey }), at(0)))).toBe(
          "BAD_REQUEST",
        );
        const { batch, jobs } = newBatch(1, { idempotencyKey });
        expect(await codeOf(engine.createBatch(batch, jobs, at(0)))).toBe("BAD_REQUEST");
      }
      expect(await engine.readFeed(ANN, 0, 10)).toEqual({ changes: [], head: 0 });
      const pairs = await Promise.all(
        ["😀", "😁", "\ufffd"].map((idempotencyKey) =>
          engine.createJob(newJob({ idempotencyKey }), at(1)),
        ),
      );
      expect(new Set(pairs.map(({ id }) => id)).size).toBe(3);
    });

    test("an id is taken once", async ({ engine }) => {
      const job = await engine.createJob(newJob(), at(0));
      expect(await codeOf(engine.createJob({ ...newJob(), id: job.id }, at(1)))).toBe("INTERNAL");
      expect(await engine.getJob(job.id)).toEqual(job);
      expect(await logOf(engine, job.id)).toHaveLength(1);
    });

    test.for(["n", "", "t", ":n", "{", "__proto__", "x".repeat(200)])(
      "no job and no batch has the id %j",
      async (id, { engine }) => {
        await engine.createJob(newJob(), at(0));
        expect(await engine.getJob(id)).toBeUndefined();
        expect(await engine.getSummary(id)).toBeUndefined();
        expect(await engine.getBatch(id)).toBeUndefined();
        expect(await engine.readDraft(id, 0)).toBeUndefined();
      },
    );

    test("what does not exist is undefined", async ({ engine }) => {
      const id = newId();
      expect(await engine.getJob(id)).toBeUndefined();
      expect(await engine.getSummary(id)).toBeUndefined();
      expect(await engine.getBatch(id)).toBeUndefined();
      expect(await engine.readEvents(id, 0, 10)).toBeUndefined();
      expect(await engine.readDraft(id, 0)).toBeUndefined();
    });

    test("one that is refused takes none of its neighbours with it", async ({ engine }) => {
      const jobs = Array.from({ length: 20 }, () => newJob());
      const taken = await engine.createJob(newJob(), at(0));
      const results = await Promise.allSettled([
        ...jobs.slice(0, 10).map((job) => engine.createJob(job, at(1))),
        engine.createJob({ ...newJob(), id: taken.id }, at(1)),
        engine.change(newId(), START, at(1)),
        ...jobs.slice(10).map((job) => engine.createJob(job, at(1))),
      ]);
      expect(results.filter(({ status }) => status === "rejected")).toHaveLength(2);
      for (const job of jobs) expect(await logOf(engine, job.id)).toHaveLength(1);
    });
  });

  describe("idempotency keys", () => {
    test("[J4] a key that was used gives the first job, and stores nothing", async ({ engine }) => {
      const first = await engine.createJob(newJob({ idempotencyKey: "k" }), at(0));
      const second = newJob({ idempotencyKey: "k", input: { other: true } });
      expect(await engine.createJob(second, at(1))).toEqual(first);
      expect(await engine.getJob(second.id)).toBeUndefined();
      expect((await engine.readFeed(ANN, 0, 10)).head).toBe(1);
    });

    test("[J4] keys of 200 emoji are told apart by their last one", async ({ engine }) => {
      const keys = ["🪴", "🌱", "🪴"].map((last) => `${"🪴".repeat(199)}${last}`);
      const ids: string[] = [];
      for (const idempotencyKey of keys) {
        ids.push((await engine.createJob(newJob({ idempotencyKey }), at(0))).id);
      }
      expect(ids[2]).toBe(ids[0]);
      expect(ids[1]).not.toBe(ids[0]);
    });

    test("it gives the first job as it is now", async ({ engine }) => {
      await engine.createJob(newJob({ idempotencyKey: "k" }), at(0));
      const claim = await claimOne(engine, at(1));
      await engine.change(claim.jobId, START, at(1), claim);
      await engine.change(claim.jobId, DELIVER, at(2), claim);
      expect(await engine.createJob(newJob({ idempotencyKey: "k" }), at(3))).toMatchObject({
        id: claim.jobId,
        status: "DELIVERED",
        output: { ok: true },
      });
    });

    test("of many at once one is stored, and all get it", async ({ engine }) => {
      const jobs = await Promise.all(
        Array.from({ length: 20 }, () => engine.createJob(newJob({ idempotencyKey: "k" }), at(0))),
      );
      expect(new Set(jobs.map((job) => job.id)).size).toBe(1);
      expect((await engine.listJobs({ ...ANN, limit: 10 })).items).toHaveLength(1);
    });

    test("each owner has keys of his own, and so have batches", async ({ engine }) => {
      const ids = new Set<string>();
      for (const owner of [ANN, BOB, { tenant: "other", owner: "ann" }]) {
        ids.add((await engine.createJob(newJob({ ...owner, idempotencyKey: "k" }), at(0))).id);
      }
      const { batch, jobs } = newBatch(1, { idempotencyKey: "k" });
      ids.add((await engine.createBatch(batch, jobs, at(0))).id);
      expect(ids.size).toBe(4);
    });
  });

  describe("reading a log", () => {
    test("events come after the cursor, in order, at most as many as asked for", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      await engine.change(id, START, at(1));
      for (const progress of [20, 30, 40]) {
        await engine.change(id, { action: "progress", progress, message: `${progress}` }, at(2));
      }
      const seqs = async (after: number, limit: number) =>
        (await engine.readEvents(id, after, limit))?.events.map((event) => event.seq);
      expect(await seqs(0, 100)).toEqual([1, 2, 3, 4, 5]);
      expect(await seqs(2, 2)).toEqual([3, 4]);
      expect(await seqs(5, 10)).toEqual([]);
      expect(await seqs(99, 10)).toEqual([]);
    });

    test("the newest event comes along, wherever the slice ends", async ({ engine }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      const { event } = await engine.change(id, START, at(1));
      for (const after of [0, 1, 2, 50]) {
        expect((await engine.readEvents(id, after, 1))?.newest).toEqual(event);
      }
    });
  });
}
