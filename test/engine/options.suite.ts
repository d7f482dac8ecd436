/** Options of a job: when it starts, when it expires, and calls that are one job. */
import { describe, expect, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import type { JobEvent } from "#shared/events.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import {
  ANN,
  at,
  BOB,
  claimOne,
  codeOf,
  FAIL,
  LEASE_MS,
  listen,
  logOf,
  newBatch,
  newJob,
  release,
  START,
} from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const MINUTE = 60_000;
const BEGIN = { progress: 3, message: "Taken and started" };
/** Of calls that are one job. */
const DEBOUNCE = { key: "k", windowMs: MINUTE };
const debounced = (input: unknown, given: Partial<NewJob> = {}): NewJob =>
  newJob({ input, title: `Title ${JSON.stringify(input)}`, debounce: DEBOUNCE, ...given });

/** Of the creation of a job. */
const entry = (target: string) => ({
  at: at(0),
  action: "job.create" as const,
  target,
  actor: { user: "ann", via: "token" as const, credential: null },
});

function claim(engine: Engine, max = 10): Promise<Claim[]> {
  return engine.claim({ worker: "w", max, leaseMs: LEASE_MS, now: at(9), start: () => BEGIN });
}

async function idsOf(engine: Engine): Promise<string[]> {
  return (await claim(engine)).map(({ jobId }) => jobId);
}

function whenAborted(engine: Engine, jobId: string): Promise<void> {
  return vi.waitFor(async () =>
    expect(await engine.getSummary(jobId)).toMatchObject({ status: "ABORTED" }),
  );
}

export function optionsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("the time at which a job starts", () => {
    test("[J21] a job waits for its time, shows it, and takes its place in the queue then", async ({
      engine,
      data,
    }) => {
      const late = newJob({ startsAt: at(60), priority: 1, maxAttempts: 7 });
      const created = await engine.createJob(late, at(0));
      expect(created).toMatchObject({
        status: "PENDING",
        priority: 1,
        maxAttempts: 7,
        startsAt: at(60),
        expiresAt: null,
        message: "Job queued - Starts at 2026-01-01 00:01:00 UTC",
      });
      expect(await engine.getJob(late.id)).toEqual(created);
      expect((await engine.listJobs({ ...ANN, limit: 1 })).items).toMatchObject([
        { priority: 1, maxAttempts: 7, startsAt: at(60) },
      ]);
      expect(await idsOf(engine)).toEqual([]);
      await data.pass(MINUTE);
      const [first, second] = [newJob(), newJob({ priority: 9 })];
      await engine.createJob(first, at(61));
      await engine.createJob(second, at(61));
      expect(await idsOf(engine)).toEqual([second.id, late.id, first.id]);
      const started = await engine.getSummary(late.id);
      expect(started).toMatchObject({ startsAt: null, priority: 1, maxAttempts: 7, attempt: 1 });
    });

    test("[J21] listeners for work hear of the end of a delay", async ({ engine, data }) => {
      const job = newJob({ startsAt: at(60) });
      await engine.createJob(job, at(0));
      expect(await idsOf(engine)).toEqual([]);
      const found: string[] = [];
      const end = engine.onWork(() => void idsOf(engine).then((ids) => found.push(...ids)));
      await data.pass(MINUTE);
      await vi.waitFor(() => expect(found).toEqual([job.id]));
      end();
    });

    test("[J21] a time in the past is now, and a job without options has none of their values", async ({
      engine,
    }) => {
      const past = await engine.createJob(newJob({ startsAt: at(-5) }), at(0));
      expect(past).toMatchObject({
        startsAt: null,
        expiresAt: null,
        priority: 0,
        maxAttempts: null,
      });
      expect(await engine.getJob(past.id)).toEqual(past);
      expect(await idsOf(engine)).toEqual([past.id]);
    });

    test("[J21] all jobs of a batch wait, and a waiting one can be cancelled", async ({
      engine,
      data,
    }) => {
      const { batch, jobs } = newBatch(3);
      const waiting = jobs.map((job) => ({ ...job, startsAt: at(60), expiresInMs: 5 * MINUTE }));
      await engine.createBatch(batch, waiting, at(0));
      const [first = newJob(), ...others] = waiting;
      await engine.change(first.id, { action: "cancel" }, at(1));
      expect(await engine.getSummary(first.id)).toMatchObject({ startsAt: null, expiresAt: null });
      expect(await idsOf(engine)).toEqual([]);
      await data.pass(MINUTE);
      expect(await idsOf(engine)).toEqual(others.map(({ id }) => id));
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: 2 });
    });

    test("[J21] a delay outlasts a restart", async ({ engine, data }) => {
      const job = newJob({ startsAt: at(3 * 86_400) });
      await engine.createJob(job, at(0));
      await engine.close();
      const again = await data.open();
      expect(await idsOf(again)).toEqual([]);
      await data.pass(3 * 86_400_000);
      expect(await idsOf(again)).toEqual([job.id]);
    });

    test.for<[string, Partial<NewJob>]>([
      ["priority", { priority: 10 }],
      ["maxAttempts", { maxAttempts: 0 }],
      ["maxAttempts", { maxAttempts: 101 }],
      ["expiresInMs", { expiresInMs: 0.5 }],
      ["expiresInMs", { expiresInMs: 367 * 86_400_000 }],
      ["debounce.windowMs", { debounce: { key: "k", windowMs: 0 } }],
      ["debounce.maxWaitMs", { debounce: { key: "k", windowMs: 1, maxWaitMs: Infinity } }],
      ["debounce", { debounce: DEBOUNCE, idempotencyKey: "k" }],
      ["debounce", { debounce: DEBOUNCE, startsAt: at(5) }],
      ["debounce key", { debounce: { key: "\ud800", windowMs: 1 } }],
    ])("[J25] a %s out of its bounds is refused: %j", async ([named, given], { engine }) => {
      await expect(engine.createJob(newJob(given), at(0))).rejects.toMatchObject({
        code: "BAD_REQUEST",
        message: expect.stringContaining(named) as string,
      });
      expect((await engine.listJobs({ ...ANN, limit: 1 })).items).toEqual([]);
    });

    test("[J25] a job that is queued again keeps priority and attempts, and waits for nothing", async ({
      engine,
      data,
    }) => {
      const job = newJob({ priority: 4, maxAttempts: 3, startsAt: at(60), expiresInMs: MINUTE });
      await engine.createJob(job, at(0));
      await engine.change(job.id, { action: "cancel" }, at(1));
      await engine.change(job.id, { action: "retry" }, at(2));
      const kept = { priority: 4, maxAttempts: 3, startsAt: null, expiresAt: null };
      expect(await engine.getSummary(job.id)).toMatchObject(kept);
      const [{ token } = { token: 0 }] = await claim(engine);
      await engine.change(job.id, release(), at(3), { jobId: job.id, token });
      expect(await engine.getSummary(job.id)).toMatchObject({ ...kept, status: "PENDING" });
      await data.pass(60 * MINUTE);
      expect(await idsOf(engine)).toEqual([job.id]);
    });
  });

  describe("the expiry of a job", () => {
    test("[J22] a job that did not start in time is aborted, without a worker, once", async ({
      engine,
      data,
    }) => {
      const reported: JobEvent[] = [];
      engine.onExpired((event) => reported.push(event));
      const job = newJob({ startsAt: at(60), expiresInMs: MINUTE });
      expect(await engine.createJob(job, at(0))).toMatchObject({ expiresAt: at(120) });
      await data.pass(119_000);
      expect(await engine.getSummary(job.id)).toMatchObject({ status: "PENDING" });
      const watcher = await listen(engine, { stream: "job", jobId: job.id });
      await data.pass(1000);
      await whenAborted(engine, job.id);
      const message = "Expired: The job had not started by 2026-01-01 00:02:00 UTC";
      expect(await engine.getSummary(job.id)).toMatchObject({
        error: { code: "EXPIRED", message },
        message,
        attempt: 0,
        startsAt: null,
        expiresAt: null,
      });
      const log = await logOf(engine, job.id);
      expect(log.map(({ type }) => type)).toEqual(["created", "aborted"]);
      const late = (log[1]?.at.getTime() ?? 0) - at(120).getTime();
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(30_000);
      await vi.waitFor(() => expect(reported).toEqual([log[1]]));
      await vi.waitFor(() => expect(watcher.events).toEqual([log[1]]));
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: 0 });
      watcher.end();
    });

    test("[J22] a claim gives none that has expired, and others beside them", async ({
      engine,
      data,
    }) => {
      const { batch, jobs } = newBatch(4);
      await engine.createBatch(
        batch,
        jobs.map((job) => ({ ...job, expiresInMs: MINUTE })),
        at(0),
      );
      const alive = newJob();
      await engine.createJob(alive, at(0));
      await data.pass(MINUTE);
      expect(await idsOf(engine)).toEqual([alive.id]);
      for (const { id } of jobs) await whenAborted(engine, id);
      expect((await engine.getBatch(batch.id))?.counts).toMatchObject({ PENDING: 0, ABORTED: 4 });
    });

    test("[J22] [Q5] a claim gives those of a kind with limits that have not expired", async ({
      engine,
    }) => {
      const job = newJob({ expiresInMs: MINUTE });
      await engine.createJob(job, at(0));
      const limits = new Map([[job.kind, { concurrency: 2 }]]);
      const claims = await engine.claim({
        worker: "w",
        max: 9,
        leaseMs: MINUTE,
        now: at(0),
        limits,
      });
      expect(claims).toMatchObject([{ jobId: job.id, job: { status: "PENDING" } }]);
    });

    test("[J22] a job that started does not expire, nor when it is tried again", async ({
      engine,
      data,
    }) => {
      const [first, second] = [newJob({ expiresInMs: MINUTE }), newJob({ expiresInMs: MINUTE })];
      await engine.createJob(first, at(0));
      await engine.createJob(second, at(0));
      const [one] = await claim(engine);
      await engine.change(first.id, release(5 * MINUTE), at(1), one);
      await engine.change(second.id, FAIL, at(1));
      await engine.change(second.id, { action: "retry" }, at(1));
      const canary = newJob({ expiresInMs: MINUTE });
      await engine.createJob(canary, at(1));
      await data.pass(MINUTE);
      await whenAborted(engine, canary.id);
      expect((await idsOf(engine)).toSorted()).toEqual([second.id]);
      await data.pass(5 * MINUTE);
      expect(await idsOf(engine)).toContain(first.id);
    });

    test("[J22] what expired while nothing ran is aborted at the next start", async ({
      engine,
      data,
    }) => {
      const job = newJob({ expiresInMs: MINUTE });
      await engine.createJob(job, at(0));
      await engine.close();
      await data.pass(MINUTE);
      const again = await data.open();
      await whenAborted(again, job.id);
      expect(await idsOf(again)).toEqual([]);
    });

    test("[J22] many that expire at once all end", async ({ engine, data }) => {
      const { batch, jobs } = newBatch(600);
      await engine.createBatch(
        batch,
        jobs.map((job) => ({ ...job, expiresInMs: MINUTE })),
        at(0),
      );
      await data.pass(MINUTE);
      await vi.waitFor(async () =>
        expect((await engine.getBatch(batch.id))?.counts.ABORTED).toBe(600),
      );
    });
  });

  describe("calls that are one job", () => {
    test("[J23] further calls replace input and title, and put off the start", async ({
      engine,
      data,
    }) => {
      const first = debounced({ n: 1 }, { priority: 3, expiresInMs: MINUTE });
      const created = await engine.createJob(first, at(0));
      expect(created).toMatchObject({ id: first.id, startsAt: at(60), expiresAt: at(120) });
      const watcher = await listen(engine, { stream: "job", jobId: first.id });
      await data.pass(30_000);
      const actor = { user: "ann", via: "token" as const };
      const second = await engine.createJob(debounced({ n: 2 }, { actor }), at(30));
      expect(second).toMatchObject({
        id: first.id,
        version: 2,
        input: { n: 2 },
        title: 'Title {"n":2}',
        message: "Input replaced - Starts at 2026-01-01 00:01:30 UTC",
        priority: 3,
        startsAt: at(90),
        expiresAt: at(150),
      });
      expect(await engine.getJob(first.id)).toEqual(second);
      const log = await logOf(engine, first.id);
      expect(log[1]).toMatchObject({
        type: "requeued",
        status: "PENDING",
        seq: 2,
        at: at(30),
        actor,
      });
      await vi.waitFor(() => expect(watcher.events).toEqual([log[1]]));
      watcher.end();
      await data.pass(59_000);
      expect(await claim(engine)).toEqual([]);
      await data.pass(1000);
      const [given] = await claim(engine);
      expect(given?.job).toMatchObject({ id: first.id, input: { n: 2 }, title: 'Title {"n":2}' });
      expect((await engine.listJobs({ ...ANN, limit: 9 })).items).toHaveLength(1);
    });

    test("[J23] calls without end start the job at the bound of its first one, with the newest input", async ({
      engine,
      data,
    }) => {
      const bound = { ...DEBOUNCE, maxWaitMs: 150_000 };
      const { id } = await engine.createJob(debounced(0, { debounce: bound }), at(0));
      for (let n = 1; n <= 7; n += 1) {
        await data.pass(30_000);
        const job = await engine.createJob(debounced(n, { debounce: bound }), at(n * 30));
        const startsAt = at(Math.max(n * 30, Math.min(n * 30 + 60, 150)));
        expect(job).toMatchObject({ id, version: n + 1, input: n, startsAt });
      }
      const other = newJob();
      await engine.createJob(other, at(210));
      // Calls after the bound do not cost it its place.
      await engine.createJob(debounced("last", { debounce: bound }), at(210));
      expect((await claim(engine)).map(({ job }) => job.input)).toEqual(["last", other.input]);
    });

    test("[J23] owners, kinds and keys are apart", async ({ engine }) => {
      const all = [
        debounced(1),
        debounced(1, BOB),
        debounced(1, { kind: "image" }),
        debounced(1, { debounce: { ...DEBOUNCE, key: "other" } }),
        newJob(),
      ];
      for (const fresh of all) {
        expect(await engine.createJob(fresh, at(0))).toMatchObject({ id: fresh.id, version: 1 });
      }
    });

    test("[J23] a job that was started, claimed, cancelled or queued again takes no call", async ({
      engine,
      data,
    }) => {
      const ways: (() => Promise<unknown>)[] = [
        () => claimOne(engine, at(1)),
        () => claim(engine),
        async () => engine.change(newest, START, at(1)),
        async () => engine.change(newest, { action: "cancel" }, at(1)),
        async () => {
          await engine.change(newest, { action: "cancel" }, at(1));
          await engine.change(newest, { action: "retry" }, at(1));
        },
      ];
      let newest = "";
      for (const way of ways) {
        const fresh = debounced(1);
        newest = fresh.id;
        expect(await engine.createJob(fresh, at(0))).toMatchObject({ id: newest });
        await data.pass(MINUTE);
        await way();
        const before = await engine.getJob(newest);
        const next = debounced(2);
        expect(await engine.createJob(next, at(2))).toMatchObject({ id: next.id, version: 1 });
        expect(await engine.getJob(newest)).toEqual(before);
        await engine.change(next.id, { action: "cancel" }, at(3));
      }
    });

    test("[J23] a job that has expired takes no call", async ({ engine, data }) => {
      const first = debounced(1, { expiresInMs: 1 });
      await engine.createJob(first, at(0));
      await data.pass(2 * MINUTE);
      const next = debounced(2);
      expect(await engine.createJob(next, at(120))).toMatchObject({ id: next.id });
      await whenAborted(engine, first.id);
    });

    test("[J23] [J2] calls, claims and cancels at once: each call is in one job, and none is lost", async ({
      engine,
      data,
    }) => {
      const soon = { key: "k", windowMs: 1 };
      const given: Claim[] = [];
      const answers: [n: number, id: string][] = [];
      for (let round = 0; round < 12; round += 1) {
        const calls = Array.from({ length: 5 }, async (_, call) => {
          const n = round * 5 + call;
          const { id } = await engine.createJob(debounced(n, { debounce: soon }), at(round));
          answers.push([n, id]);
        });
        const claims = claim(engine, 1).then((some) => given.push(...some));
        await Promise.all([...calls, claims, data.pass(2)]);
        const waiting = (await engine.listJobs({ ...ANN, status: "PENDING", limit: 50 })).items;
        expect(waiting.length).toBeLessThanOrEqual(1);
        const [one] = waiting;
        if (round % 4 === 3 && one !== undefined) {
          await engine.change(one.id, { action: "cancel" }, at(round));
        }
      }
      await data.pass(MINUTE);
      given.push(...(await claim(engine)));
      const jobs = new Map(answers.map(([, id]) => [id, answers.filter((each) => each[1] === id)]));
      for (const [id, calls] of jobs) {
        const log = await logOf(engine, id);
        const took = log.filter(({ type }) => type === "created" || type === "requeued");
        expect(took).toHaveLength(calls.length);
        const stored = await engine.getJob(id);
        expect(calls.map(([n]) => n)).toContain(stored?.input);
      }
      for (const { job } of given)
        expect(await engine.getJob(job.id)).toMatchObject({ input: job.input });
      expect(answers).toHaveLength(60);
    });

    test("[J23] the quota counts the bytes of the newest input, and one job", async ({
      engine,
    }) => {
      const quota = { waitingJobs: 1, bytes: 100 };
      const { id } = await engine.createJob(debounced("a".repeat(20)), at(0), quota);
      await engine.createJob(debounced("a".repeat(80)), at(1), quota);
      expect(await engine.usage(ANN.tenant)).toEqual({ waitingJobs: 1, bytes: 86 });
      const beyond = engine.createJob(debounced("a".repeat(100)), at(2), quota);
      expect(await codeOf(beyond)).toBe("RATE_LIMITED");
      await engine.createJob(debounced("a"), at(3), quota);
      expect(await engine.usage(ANN.tenant)).toEqual({ waitingJobs: 1, bytes: 7 });
      expect(await engine.getJob(id)).toMatchObject({ version: 3, input: "a" });
    });

    test("[J23] the audit list names the job that took the call", async ({ engine }) => {
      const [first, second] = [debounced(1), debounced(2)];
      await engine.createJob({ ...first, audit: entry(first.id) }, at(0));
      await engine.createJob({ ...second, audit: entry(second.id) }, at(0));
      const { items } = await engine.audit.list({ tenant: ANN.tenant, limit: 9 });
      expect(items.map(({ target }) => target)).toEqual([first.id, first.id]);
    });

    test("[J23] a job that another owner was given takes calls of that owner", async ({
      engine,
    }) => {
      const first = debounced(1);
      await engine.createJob(first, at(0));
      await engine.assign(ANN, BOB, 10);
      const [his, hers] = [debounced(2, BOB), debounced(3)];
      expect(await engine.createJob(his, at(1))).toMatchObject({ id: first.id, input: 2, ...BOB });
      expect(await engine.createJob(hers, at(1))).toMatchObject({ id: hers.id, ...ANN });
    });
  });
}
