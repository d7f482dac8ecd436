import { describe, expect, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  FAIL,
  LEASE_MS,
  listen,
  logOf,
  newBatch,
  newJob,
  newWorker,
  release,
  START,
  startedJob,
  STEP,
} from "./builders.ts";

function claim(engine: Engine, seconds: number, max = 10): Promise<Claim[]> {
  return engine.claim({ worker: "w1", max, leaseMs: LEASE_MS, now: at(seconds) });
}

/** Of a job of `newBatch`. */
function indexOf(title: string): number {
  return Number(title.split(" ")[1]);
}

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 vendor=a b";

function traceOf(claims: readonly Claim[], id: string): string | undefined {
  return claims.find(({ jobId }) => jobId === id)?.trace;
}

function refuse(): never {
  throw Object.create(null) as Error;
}

export function claimsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);
  // Where processes share the data, its clock goes on by itself.
  const moment = subject.capabilities.multiProcess ? 5000 : 1;

  describe("claiming work", () => {
    test("a claim brings the whole job, and leaves the record alone", async ({ engine }) => {
      const job = await engine.createJob(newJob(), at(0));
      const [claimed] = await claim(engine, 1);
      expect(claimed).toMatchObject({ job, started: null });
      expect(await engine.getJob(job.id)).toEqual(job);
    });

    test("[V1] each claim of a job brings the trace that it was created with, and its record has none", async ({
      engine,
    }) => {
      const traced = await engine.createJob(newJob({ trace: TRACE }), at(0));
      expect(traced).not.toHaveProperty("trace");
      const { batch, jobs } = newBatch(2);
      const [first = newJob(), second = newJob()] = jobs;
      await engine.createBatch(batch, [{ ...first, trace: TRACE }, second], at(1));
      const claims = await claim(engine, 2);
      expect(traceOf(claims, traced.id)).toBe(TRACE);
      expect(traceOf(claims, first.id)).toBe(TRACE);
      expect(traceOf(claims, second.id)).toBeUndefined();
      // Again, and in the same step as the start.
      for (const [index, held] of claims.entries()) {
        await engine.change(held.jobId, START, at(2), held);
        await engine.change(held.jobId, release(), at(3), held);
        expect(await engine.getJob(held.jobId), `${index}`).not.toHaveProperty("trace");
      }
      const again = await engine.claim({
        worker: "w1",
        max: 10,
        leaseMs: LEASE_MS,
        now: at(4),
        start: () => ({ progress: 0, message: "Begun" }),
      });
      expect(traceOf(again, traced.id)).toBe(TRACE);
      expect(traceOf(again, second.id)).toBeUndefined();
    });

    test("with `start` it starts what is PENDING, as a change under it would", async ({
      data,
      engine,
    }) => {
      const abandoned = await startedJob(engine, at(0));
      await data.pass(20_000);
      const { batch, jobs } = newBatch(2, ANN);
      await engine.createBatch(batch, jobs, at(1));
      const heard = await listen(engine, { stream: "job", jobId: jobs[0]?.id ?? "" });
      const claims = await engine.claim({
        worker: "w1",
        max: 10,
        leaseMs: LEASE_MS,
        now: at(20),
        start: ({ title }) => ({ progress: 5, message: `Begun: ${title}` }),
      });
      for (const [index, { id, title }] of jobs.entries()) {
        const taken = claims.find(({ jobId }) => jobId === id);
        const job = await engine.getJob(id);
        expect(taken).toMatchObject({ started: { type: "started", seq: 2 }, job });
        expect(job).toMatchObject({
          status: "PROCESSING",
          attempt: 1,
          progress: 5,
          message: `Begun: ${title}`,
          startedAt: at(20),
          version: 2,
          input: jobs[index]?.input,
        });
        expect((await logOf(engine, id)).map(({ type }) => type)).toEqual(["created", "started"]);
        if (taken) await engine.change(id, STEP, at(21), taken);
      }
      expect((await engine.getBatch(batch.id))?.counts).toMatchObject({
        PENDING: 0,
        PROCESSING: 2,
      });
      expect(heard.events.map(({ type }) => type)).toEqual(["started", "progress"]);
      heard.end();
      expect(claims.find(({ jobId }) => jobId === abandoned.jobId)).toMatchObject({
        started: null,
        job: { status: "PROCESSING", attempt: 1, version: 2 },
      });
    });

    test("[H7] a job whose `start` is a fault is given out with it, and keeps no other from being claimed", async ({
      engine,
    }) => {
      const faults: [unknown, RegExp][] = [
        [{ progress: 0.5, message: "" }, /`start\.progress` .* 0\.5$/],
        [{ progress: Number.NaN, message: "" }, /`start\.progress` .* NaN$/],
        [{ progress: -1, message: "" }, /`start\.progress` .* -1$/],
        [{ progress: 1e9, message: "" }, /`start\.progress` .* 1000000000$/],
        [{ progress: "5", message: "" }, /`start\.progress` .* text "5"$/],
        [{ progress: `${"x".repeat(39)}😀`, message: "" }, /`start\.progress` .* text "x{39}…"$/],
        [{ message: "" }, /`start\.progress` .* undefined$/],
        [{ progress: 0, message: null }, /`start\.message` .* null$/],
        [
          {
            progress: 0,
            get message() {
              return refuse();
            },
          },
          /`start` cannot be read/,
        ],
        [null, /`start` cannot be read/],
      ];
      const { batch, jobs } = newBatch(2 * faults.length + 1);
      await engine.createBatch(batch, jobs, at(0));
      const claims = await engine.claim({
        worker: "w1",
        max: jobs.length,
        leaseMs: LEASE_MS,
        now: at(1),
        start({ title }) {
          const index = indexOf(title);
          if (index === 2 * faults.length) return refuse();
          if (index % 2 === 1) return { progress: 5, message: "Begun" };
          return faults[index / 2]?.[0] as { progress: number; message: string };
        },
      });
      expect(claims.map(({ jobId }) => jobId).toSorted()).toEqual(jobs.map(({ id }) => id));
      for (const taken of claims) {
        expect(taken.started).toMatchObject({ type: "started", seq: 2 });
        expect(await engine.getJob(taken.jobId)).toEqual(taken.job);
        await engine.change(taken.jobId, taken.fault ? FAIL : DELIVER, at(2), taken);
      }
      const odd = claims.filter(({ job }) => indexOf(job.title) % 2 === 0);
      for (const { job, fault } of odd) {
        expect(job).toMatchObject({ status: "PROCESSING", progress: 0 });
        const message = faults[indexOf(job.title) / 2]?.[1] ?? /`start` cannot be read/;
        expect(fault).toEqual({ code: "KIND_FAILED", message: expect.stringMatching(message) });
      }
      for (const taken of claims.filter((each) => !odd.includes(each))) {
        expect(taken).toMatchObject({ job: { progress: 5, message: "Begun" } });
        expect(taken.fault).toBeUndefined();
      }
      expect((await engine.getBatch(batch.id))?.counts).toMatchObject({
        DELIVERED: faults.length,
        ABORTED: faults.length + 1,
      });
    });

    test("a message of `start` that is too long is cut", async ({ engine }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      const message = "m".repeat(60_000);
      const start = () => ({ progress: 1, message });
      const request = { worker: "w1", max: 1, leaseMs: LEASE_MS, now: at(1), start };
      const [taken] = await engine.claim(request);
      expect(taken?.fault).toBeUndefined();
      expect((await engine.getSummary(id))?.message).toBe(`${message.slice(0, 1999)}…`);
    });

    test("they come in the order in which they were queued, `max` at most", async ({ engine }) => {
      const jobs = [newJob(), newJob(), newJob()];
      for (const [index, job] of jobs.entries()) await engine.createJob(job, at(index));
      const given = [...(await claim(engine, 5, 2)), ...(await claim(engine, 5, 2))];
      expect(given.map(({ jobId }) => jobId)).toEqual(jobs.map(({ id }) => id));
    });

    test("a job that was given back waits for its time", async ({ data, engine }) => {
      const held = await startedJob(engine, at(0));
      await engine.change(held.jobId, release(29_000), at(1), held);
      await data.pass(29_000 - moment);
      expect(await claim(engine, 29)).toEqual([]);
      await data.pass(moment);
      expect(await claim(engine, 30)).toMatchObject([{ jobId: held.jobId, job: { retries: 1 } }]);
    });

    test("[J5] no job is given to two callers", async ({ engine }) => {
      const { batch, jobs } = newBatch(100);
      await engine.createBatch(batch, jobs, at(0));
      const claims = await Promise.all(Array.from({ length: 20 }, () => claim(engine, 1, 9)));
      const ids = claims.flat().map(({ jobId }) => jobId);
      expect(ids).toHaveLength(100);
      expect(new Set(ids).size).toBe(100);
    });

    test("settled jobs are not given, queued again they are", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      await engine.change(held.jobId, { action: "cancel" }, at(1));
      expect(await claim(engine, 100)).toEqual([]);
      await engine.change(held.jobId, { action: "retry" }, at(200));
      expect(await claim(engine, 200)).toHaveLength(1);
    });
  });

  describe("leases", () => {
    test("while a lease holds no other runner gets the job", async ({ data, engine }) => {
      const held = await startedJob(engine, at(0));
      await data.pass(LEASE_MS - moment);
      expect(await claim(engine, 9.9)).toEqual([]);
      await engine.change(held.jobId, STEP, at(9.9), held);
    });

    test("when it ends the job is given again, PENDING or PROCESSING", async ({ data, engine }) => {
      const started = await startedJob(engine, at(0));
      await engine.createJob(newJob(), at(0));
      const waiting = await claimOne(engine, at(0));
      await data.pass(10_000);
      const again = await claim(engine, 10);
      expect(again.map(({ job }) => job.status).toSorted()).toEqual(["PENDING", "PROCESSING"]);
      for (const { jobId, token } of [started, waiting]) {
        expect(again.find((each) => each.jobId === jobId)?.token).toBeGreaterThan(token);
      }
    });

    test("[J5] the token of a lost claim is refused everywhere, and the new one is good", async ({
      data,
      engine,
    }) => {
      const old = await startedJob(engine, at(0));
      await data.pass(10_000);
      const fresh = await claimOne(engine, at(10));
      expect(await codeOf(engine.change(old.jobId, STEP, at(11), old))).toBe("CLAIM_LOST");
      expect(await codeOf(engine.change(old.jobId, DELIVER, at(11), old))).toBe("CLAIM_LOST");
      expect(await codeOf(engine.appendDraft(old, "x"))).toBe("CLAIM_LOST");
      expect(await engine.renew([old], LEASE_MS, at(11))).toEqual([old]);
      await engine.change(fresh.jobId, release(1000), at(11), fresh);
      expect((await engine.getSummary(old.jobId))?.version).toBe(3);
    });

    test("renewing prolongs the lease from now", async ({ data, engine }) => {
      const held = await startedJob(engine, at(0));
      await data.pass(5000);
      expect(await engine.renew([held], LEASE_MS, at(8))).toEqual([]);
      await data.pass(LEASE_MS - moment);
      expect(await claim(engine, 17.9)).toEqual([]);
      await data.pass(moment);
      expect(await claim(engine, 18)).toHaveLength(1);
    });

    test("renewing says which claims are lost, and prolongs the others", async ({
      data,
      engine,
    }) => {
      const [kept, cancelled] = [await startedJob(engine, at(0)), await startedJob(engine, at(0))];
      await engine.change(cancelled.jobId, { action: "cancel" }, at(1));
      const unknown = { jobId: newJob().id, token: 1 };
      await data.pass(5000);
      expect(await engine.renew([kept, cancelled, unknown], LEASE_MS, at(5))).toEqual([
        cancelled,
        unknown,
      ]);
      await data.pass(LEASE_MS - moment);
      await engine.change(kept.jobId, STEP, at(14), kept);
      expect(await claim(engine, 14)).toEqual([]);
    });

    test("settling and releasing end the claim", async ({ engine }) => {
      for (const end of [DELIVER, release(), { action: "cancel" } as const]) {
        const held = await startedJob(engine, at(0));
        await engine.change(held.jobId, end, at(1));
        expect(await codeOf(engine.change(held.jobId, STEP, at(2), held))).toBe("CLAIM_LOST");
        expect(await codeOf(engine.appendDraft(held, "x"))).toBe("CLAIM_LOST");
        expect(await engine.renew([held], LEASE_MS, at(2))).toEqual([held]);
      }
    });

    test("a change that is refused does not end the claim", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      expect(await codeOf(engine.change(held.jobId, START, at(1), held))).toBe(
        "ILLEGAL_TRANSITION",
      );
      await engine.change(held.jobId, STEP, at(1), held);
    });

    test("a claim is good for its own job only", async ({ engine }) => {
      const [mine, other] = [await startedJob(engine, at(0)), await startedJob(engine, at(0))];
      expect(await codeOf(engine.change(other.jobId, STEP, at(1), mine))).toBe("CLAIM_LOST");
    });

    test("a job never gets the same token twice", async ({ data, engine }) => {
      const job = newJob();
      await engine.createJob(job, at(0));
      const tokens = new Set<number>();
      for (let round = 0; round < 10; round += 1) {
        const held = await claimOne(engine, at(100 * round));
        await data.pass(100_000);
        tokens.add(held.token);
        if (round % 2 === 0) continue;
        const ends = round % 4 === 1 ? release() : DELIVER;
        await engine.change(job.id, START, at(100 * round), held);
        if (ends === DELIVER) {
          await engine.change(job.id, { action: "cancel" }, at(100 * round), held);
          await engine.change(job.id, { action: "retry" }, at(100 * round));
        } else await engine.change(job.id, ends, at(100 * round), held);
      }
      expect(tokens.size).toBe(10);
    });
  });

  describe("a clock that is set back", () => {
    for (const seconds of [60, 3600]) {
      test(`by ${seconds} s: jobs that were queued before are given at once`, async ({
        engine,
      }) => {
        const held = await startedJob(engine, at(seconds));
        const settled = await startedJob(engine, at(seconds));
        await engine.change(held.jobId, release(), at(seconds), held);
        await engine.change(settled.jobId, { action: "cancel" }, at(seconds));
        await engine.change(settled.jobId, { action: "retry" }, at(seconds));
        const { batch, jobs } = newBatch(2);
        await engine.createBatch(batch, jobs, at(seconds));
        const { id } = await engine.createJob(newJob(), at(seconds));
        const given = (await claim(engine, 0)).map(({ jobId }) => jobId);
        expect(given).toEqual([held.jobId, settled.jobId, ...jobs.map((job) => job.id), id]);
      });

      test(`by ${seconds} s: the order is that of creation`, async ({ engine }) => {
        const jobs = [newJob(), newJob(), newJob()];
        for (const [index, job] of jobs.entries()) {
          await engine.createJob(job, at(seconds - index * 20));
        }
        expect((await claim(engine, 0)).map(({ jobId }) => jobId)).toEqual(
          jobs.map(({ id }) => id),
        );
      });

      test(`by ${seconds} s: a delay is as long as it was asked for`, async ({ data, engine }) => {
        const held = await startedJob(engine, at(seconds));
        await engine.change(held.jobId, release(30_000), at(seconds), held);
        await data.pass(30_000 - moment);
        expect(await claim(engine, 29)).toEqual([]);
        await data.pass(moment);
        expect(await claim(engine, 30)).toHaveLength(1);
      });

      test(`by ${seconds} s: a lease ends when it was to end`, async ({ data, engine }) => {
        const [left, kept] = [
          await startedJob(engine, at(seconds)),
          await startedJob(engine, at(seconds)),
        ];
        await data.pass(5000);
        expect(await engine.renew([kept], LEASE_MS, at(5))).toEqual([]);
        await data.pass(5000);
        expect(await claim(engine, 10)).toMatchObject([{ jobId: left.jobId }]);
      });

      test(`by ${seconds} s: a worker is there as long as it said`, async ({ data, engine }) => {
        await engine.workers.announce(newWorker({ id: "w1" }), 10_000);
        await data.pass(10_000);
        expect(await engine.workers.count()).toBe(0);
      });
    }
  });

  describe("a clock that is set forward", () => {
    test("ends no lease, no delay and no worker's presence", async ({ engine }) => {
      const [held, delayed] = [await startedJob(engine, at(0)), await startedJob(engine, at(0))];
      await engine.change(delayed.jobId, release(30_000), at(0), delayed);
      await engine.workers.announce(newWorker({ id: "w1" }), 10_000);
      expect(await claim(engine, 3600)).toEqual([]);
      await engine.change(held.jobId, STEP, at(3600), held);
      expect(await engine.workers.count()).toBe(1);
    });
  });

  describe("onWork", () => {
    test("tells of jobs that are queued, and no more once it was ended", async ({ engine }) => {
      const work = vi.fn<() => void>();
      const end = engine.onWork(work);
      expect(await claim(engine, 0)).toEqual([]);
      const { id } = await engine.createJob(newJob(), at(0));
      await vi.waitFor(() => expect(work).toHaveBeenCalled());
      await engine.change(id, { action: "cancel" }, at(1));
      expect(await claim(engine, 1)).toEqual([]);
      work.mockClear();
      await engine.change(id, { action: "retry" }, at(2));
      await vi.waitFor(() => expect(work).toHaveBeenCalled());
      end();
      work.mockClear();
      const other = vi.fn<() => void>();
      engine.onWork(other);
      // The hint may come before the claim that it announces can succeed.
      await vi.waitFor(async () => expect(await claim(engine, 2)).toHaveLength(1));
      await engine.createJob(newJob(), at(0));
      await vi.waitFor(() => expect(other).toHaveBeenCalled());
      expect(work).not.toHaveBeenCalled();
    });

    test("tells of a delayed job when it comes due", async ({ data, engine }) => {
      const held = await startedJob(engine, at(0));
      const called = new Promise<void>((resolve) => {
        engine.onWork(resolve);
      });
      await engine.change(held.jobId, release(100), new Date(), held);
      expect(await claim(engine, 0)).toEqual([]);
      await data.pass(100);
      await called;
      await vi.waitFor(async () => {
        const now = new Date();
        expect(await engine.claim({ worker: "w", max: 1, leaseMs: 1000, now })).toHaveLength(1);
      });
    });

    test("tells of a runner that did not renew its lease", async ({ data, engine }) => {
      await engine.createJob(newJob(), at(0));
      await engine.claim({ worker: "w", max: 2, leaseMs: 50, now: new Date() });
      const called = new Promise<void>((resolve) => {
        engine.onWork(resolve);
      });
      await data.pass(50);
      await called;
    });
  });
}
