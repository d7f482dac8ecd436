import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { delivered, Failure, Transient } from "#server/kinds/define.ts";
import type { Hint, StreamRef } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { me } from "#test/jobs/acting.ts";
import {
  DONE,
  eventually,
  openJobsFixture,
  type JobsFixture,
  untilAborted,
} from "#test/jobs/jobs.fixture.ts";

import type { RunnerObserver } from "./runner-observer.ts";

let fixture: JobsFixture;

beforeEach(async () => {
  fixture = await openJobsFixture();
});
afterEach(() => fixture.close());

/** Runs code that goes on until it is told to stop, and resolves then. Leases are not renewed while a test runs. */
function runUntilStopped(): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  fixture.run = async ({ signal }) => {
    await untilAborted(signal).finally(stopped.resolve);
    return DONE;
  };
  fixture.startRunner({ leaseMs: 3_600_000 });
  return stopped.promise;
}

/** Jobs wait in here until they are let go. */
function createGate() {
  const waiting: (() => void)[] = [];
  let most = 0;
  let inside = 0;
  return {
    enter: async () => {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => waiting.push(resolve));
      inside -= 1;
    },
    inside: () => waiting.length,
    most: () => most,
    open: () => waiting.splice(0).forEach((resolve) => resolve()),
  };
}

describe("runners", () => {
  test("run as many jobs at a time as they may, in the order of the queue", async () => {
    const gate = createGate();
    const order: string[] = [];
    fixture.run = async ({ input }) => {
      order.push(input.name);
      await gate.enter();
      return DONE;
    };
    const names = Array.from({ length: 10 }, (_, index) => `${index}`);
    const ids: string[] = [];
    for (const name of names) ids.push(await fixture.create(name));
    const runner = fixture.startRunner({ concurrency: 3 });
    for (const inside of [3, 3, 3, 1]) {
      await eventually(() => expect(gate.inside()).toBe(inside));
      expect(runner.running()).toBe(inside);
      gate.open();
    }
    for (const id of ids) await fixture.reaches(id, "DELIVERED");
    expect(order).toEqual(names);
    expect(gate.most()).toBe(3);
  });

  test("take the next jobs while the ends of others are being stored, up to as many again", async () => {
    const gate = createGate();
    const { engine } = fixture;
    fixture.engine = {
      ...engine,
      async change(jobId, change, at, claim) {
        if (change.action === "deliver") await gate.enter();
        return engine.change(jobId, change, at, claim);
      },
    };
    const claimed: number[] = [];
    fixture.engine.claim = async (request) => {
      const claims = await engine.claim(request);
      claimed.push(claims.length);
      return claims;
    };
    let ran = 0;
    fixture.run = async () => {
      ran += 1;
      return DONE;
    };
    const ids = await Promise.all(Array.from({ length: 10 }, () => fixture.create()));
    const runner = fixture.startRunner({ concurrency: 3 });
    await eventually(() => expect(gate.inside()).toBe(6));
    // Those that began together ended together, and one claim took the place of all.
    expect(claimed.filter((jobs) => jobs > 0)).toEqual([3, 3]);
    expect([ran, runner.running()]).toEqual([6, 6]);
    await eventually(() => {
      gate.open();
      expect(ran).toBe(10);
    });
    for (const id of ids) {
      gate.open();
      await fixture.reaches(id, "DELIVERED");
    }
  });

  test("[J5] share the work of one engine, and no job is run twice", async () => {
    const runs = new Map<string, number>();
    fixture.run = async ({ jobId, progress }) => {
      runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
      await progress(50, "Half");
      return DONE;
    };
    for (let n = 0; n < 4; n++) fixture.startRunner({ concurrency: 4 });
    const ids = await Promise.all(Array.from({ length: 200 }, () => fixture.create()));
    for (const id of ids) await fixture.reaches(id, "DELIVERED");
    expect([...runs.values()]).toEqual(ids.map(() => 1));
    expect(await fixture.engine.workers.count()).toBe(4);
  });

  test("start jobs that come due or are created without waiting for the regular claim", async () => {
    fixture.startRunner({ pollMs: 3_600_000 });
    const ids = [await fixture.create(), await fixture.create()];
    for (const id of ids) {
      expect(await fixture.reaches(id, "DELIVERED")).toMatchObject({ attempt: 1 });
    }
  });

  test("find work by a regular look where no hint came", async () => {
    fixture.engine = { ...fixture.engine, onWork: () => () => {} };
    fixture.startRunner();
    expect(await fixture.reaches(await fixture.create(), "DELIVERED")).toMatchObject({
      attempt: 1,
    });
  });

  test("go on after work could not be claimed", async () => {
    const { engine } = fixture;
    let refusals = 2;
    fixture.engine = {
      ...engine,
      claim: async (request) => {
        if (refusals-- > 0) throw new AppError("UNAVAILABLE", "The disk is full.");
        return engine.claim(request);
      },
    };
    fixture.startRunner();
    await fixture.reaches(await fixture.create(), "DELIVERED");
    expect(fixture.logged.map(({ msg }) => msg)).toContain(
      "No job could be claimed. The runner tries again",
    );
  });

  test("run a job that cannot be watched, and say so", async () => {
    const away = new AppError("UNAVAILABLE", "Redis is away.");
    fixture.engine = { ...fixture.engine, onAppend: () => Promise.reject(away) };
    const gate = createGate();
    fixture.run = async () => {
      await gate.enter();
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(() =>
      expect(fixture.logged).toMatchObject([
        { msg: "A running job could not be watched", reason: "Redis is away." },
      ]),
    );
    gate.open();
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 1, retries: 0 });
  });

  test("stop the code of a job that was cancelled before it was watched", async () => {
    const watched = createGate();
    const { engine } = fixture;
    fixture.engine = {
      ...engine,
      onAppend: async (...watching) => {
        await watched.enter();
        return engine.onAppend(...watching);
      },
    };
    const stopped = runUntilStopped();
    const jobId = await fixture.create();
    await eventually(() => expect(watched.inside()).toBe(1));
    await fixture.jobs.decide(me, jobId, "cancel");
    watched.open();
    await stopped;
    expect((await fixture.job(jobId)).status).toBe("ABORTED");
  });

  test("[J8] stop the code of a job that was cancelled while no hints came", async () => {
    const listeners: ((hint: Hint) => void)[] = [];
    const onAppend = async (_stream: StreamRef, listener: (hint: Hint) => void) => {
      listeners.push(listener);
      return () => {};
    };
    fixture.engine = { ...fixture.engine, onAppend };
    const stopped = runUntilStopped();
    const jobId = await fixture.create();
    await eventually(() => expect(listeners).toHaveLength(1));
    await fixture.jobs.decide(me, jobId, "cancel");
    // They are back: listeners get an empty hint.
    for (const listener of listeners) listener({});
    await stopped;
    expect((await fixture.job(jobId)).status).toBe("ABORTED");
  });

  test("renew leases by the timer that they are given, and tell it of their work", async () => {
    const gate = createGate();
    fixture.run = async () => gate.enter().then(() => DONE);
    const held: { work: Promise<unknown>; what: string | undefined }[] = [];
    const intervals: number[] = [];
    let keepUp: (() => void) | undefined;
    fixture.startRunner({
      concurrency: 1,
      leaseMs: 30_000,
      timer: {
        every(ms, callback) {
          intervals.push(ms);
          keepUp = callback;
          return () => {};
        },
        after: () => () => {},
        hold: (work, what) => void held.push({ work, what }),
      },
    });
    const jobId = await fixture.create();
    await eventually(() => expect(gate.inside()).toBe(1));
    expect(intervals).toEqual([10_000]);
    fixture.advance(20_000);
    keepUp?.();
    await held.at(-1)?.work;
    fixture.advance(20_000);
    const request = { worker: "other", max: 1, leaseMs: 1, now: fixture.now() };
    expect(await fixture.engine.claim(request)).toEqual([]);
    gate.open();
    await Promise.all(held.filter(({ what }) => what === "attempt").map(({ work }) => work));
    expect(await fixture.job(jobId)).toMatchObject({ status: "DELIVERED", attempt: 1 });
  });

  test("keep their leases while code runs, and stop code whose lease went to another", async () => {
    const gate = createGate();
    fixture.run = async ({ signal }) => {
      await Promise.race([gate.enter(), untilAborted(signal)]);
      return DONE;
    };
    const { engine } = fixture;
    let renewed = 0;
    fixture.engine = {
      ...engine,
      async renew(claims, leaseMs, now) {
        const lost = await engine.renew(claims, leaseMs, now);
        renewed = now.getTime();
        return lost;
      },
    };
    const slow = fixture.startRunner({ leaseMs: 30 });
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    for (let step = 0; step < 5; step++) {
      fixture.advance(20);
      await eventually(() => expect(renewed).toBe(fixture.now().getTime()));
      const request = { worker: "other", max: 1, leaseMs: 1, now: fixture.now() };
      expect(await fixture.engine.claim(request)).toEqual([]);
    }
    // Another runner that takes it for dead gets it, and this one hears of it.
    await eventually(async () => {
      // A renewal may come between the two.
      fixture.advance(60_000);
      const now = fixture.now();
      const [taken] = await engine.claim({ worker: "other", max: 1, leaseMs: 60_000, now });
      expect(taken?.jobId).toBe(jobId);
    });
    await eventually(() => expect(slow.running()).toBe(0));
    expect((await fixture.job(jobId)).status).toBe("PROCESSING");
  });

  test.each([
    ["", 0],
    [", with its clock set back meanwhile", -7_200_000],
    [", with its clock set forward meanwhile", 7_200_000],
  ])(
    "do not take their own jobs for those of the dead after the machine slept%s",
    async (...row) => {
      const gate = createGate();
      fixture.run = async () => {
        await gate.enter();
        return DONE;
      };
      fixture.startRunner({ leaseMs: 60_000 });
      const jobId = await fixture.create("long");
      await fixture.reaches(jobId, "PROCESSING");
      fixture.advance(3_600_000);
      fixture.setClock(row[1]);
      await fixture.create("wakes the runner");
      await eventually(() => expect(gate.inside()).toBe(2));
      gate.open();
      expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 1, retries: 0 });
    },
  );
});

test("a runner reports how long a job waited, and how each of its attempts ended", async () => {
  const told: unknown[] = [];
  const observer: RunnerObserver = {
    waited: (...args) => told.push(["waited", ...args]),
    recovered: (...args) => told.push(["recovered", ...args]),
    ended: (...args) => told.push(["ended", ...args]),
  };
  fixture.run = async ({ attempt, signal, input }) => {
    fixture.advance(2000);
    if (input.name === "waits") await untilAborted(signal);
    if (input.name === "fails") throw new Failure("BAD", "It cannot.");
    if (attempt === 1) throw new Transient("BUSY", "Once more");
    return DONE;
  };
  const first = await fixture.create("retries");
  fixture.advance(5000);
  const runner = fixture.startRunner({ observer, concurrency: 1 });
  await eventually(() => expect(told).toHaveLength(2));
  await eventually(async () => {
    fixture.advance(1000);
    expect(await fixture.job(first)).toMatchObject({ status: "DELIVERED" });
  });
  expect(told.map((each) => (each as unknown[]).slice(0, 3))).toEqual([
    ["waited", "work", 5],
    ["ended", "work", "retried"],
    ["ended", "work", "delivered"],
  ]);
  expect((told[1] as unknown[])[3]).toBeGreaterThanOrEqual(2);
  told.length = 0;
  await fixture.reaches(await fixture.create("fails"), "ABORTED");
  const cancelled = await fixture.create("waits");
  await fixture.reaches(cancelled, "PROCESSING");
  await fixture.jobs.decide(me, cancelled, "cancel");
  await eventually(() =>
    expect(told).toContainEqual(["ended", "work", "lost", expect.any(Number)]),
  );
  await fixture.reaches(await fixture.create("waits"), "PROCESSING");
  await runner.stop(0);
  const outcomes = told.filter((each) => (each as unknown[])[0] === "ended");
  expect(outcomes.map((each) => (each as unknown[])[2])).toEqual(["aborted", "lost", "released"]);
});

describe("[J6] a job whose runner died", () => {
  test("runs again with the next attempt, and what happened is in its log", async () => {
    fixture.run = ({ signal }) => untilAborted(signal);
    fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    await fixture.crash();
    fixture.run = async ({ attempt }) => delivered("Done", attempt);
    const recovered: string[] = [];
    const observer = { waited() {}, ended() {}, recovered: (kind: string) => recovered.push(kind) };
    fixture.startRunner({ observer });
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({
      attempt: 2,
      retries: 1,
      output: 2,
    });
    expect(recovered).toEqual(["work"]);
    const log = await fixture.log(jobId);
    expect(log.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      "created 0",
      "started 1",
      "retrying 1",
      "started 2",
      "delivered 2",
    ]);
    expect(log[2]?.message).toBe("Job given back - Its runner stopped unexpectedly");
  });

  test("is aborted as CRASHED when that was its last attempt, and may be retried by a person", async () => {
    fixture.run = ({ signal }) => untilAborted(signal);
    const jobId = await fixture.create();
    for (let attempt = 1; attempt <= 3; attempt++) {
      fixture.startRunner();
      await eventually(async () =>
        expect(await fixture.job(jobId)).toMatchObject({ status: "PROCESSING", attempt }),
      );
      await fixture.crash();
    }
    fixture.startRunner();
    const job = await fixture.reaches(jobId, "ABORTED");
    expect(job).toMatchObject({ attempt: 3, error: { code: "CRASHED" } });
    fixture.run = async () => DONE;
    await fixture.jobs.decide(me, jobId, "retry");
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 4, retries: 0 });
  });

  test("is found again when how it ended could not be stored", async () => {
    const { engine } = fixture;
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "deliver") throw new AppError("UNAVAILABLE", "The disk is full.");
        return engine.change(jobId, change, ...rest);
      },
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(() => expect(fixture.logged.length).toBeGreaterThan(2));
    await fixture.crash();
    fixture.startRunner();
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 2, retries: 1 });
  });

  test("that was claimed and not yet started simply starts", async () => {
    const jobId = await fixture.create();
    await fixture.engine.claim({ worker: "w", max: 1, leaseMs: 60_000, now: fixture.now() });
    await fixture.crash();
    fixture.startRunner();
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 1, retries: 0 });
  });
});

describe("[J10] a runner that stops", () => {
  test("lets running jobs finish in time, and takes no more", async () => {
    const gate = createGate();
    fixture.run = async () => {
      await gate.enter();
      return DONE;
    };
    const runner = fixture.startRunner({ concurrency: 1 });
    const [first, second] = [await fixture.create(), await fixture.create()];
    await fixture.reaches(first, "PROCESSING");
    const stopped = runner.stop(60_000);
    gate.open();
    expect(await stopped).toEqual({ finished: 1, givenBack: 0 });
    expect((await fixture.job(first)).status).toBe("DELIVERED");
    expect((await fixture.job(second)).status).toBe("PENDING");
    expect(runner.running()).toBe(0);
  });

  test("gives back jobs that do not finish in time without using up a retry, and they run again", async () => {
    fixture.run = async ({ signal, progress, draft }) => {
      await progress(60, "Most of it");
      await draft("Once upon");
      return untilAborted(signal);
    };
    const runner = fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () => expect((await fixture.job(jobId)).progress).toBe(60));
    expect(await runner.stop(0)).toEqual({ finished: 0, givenBack: 1 });
    expect(await fixture.job(jobId)).toMatchObject({
      status: "PENDING",
      progress: 0,
      retries: 0,
      message: "Job given back - The server is restarting",
    });
    await fixture.crash();
    fixture.run = async () => DONE;
    fixture.startRunner();
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 2, retries: 0 });
  });

  test("does not wait for code that ignores its signal, whether it was given back or cancelled", async () => {
    const never = new Promise<never>(() => {});
    fixture.run = () => never;
    const runner = fixture.startRunner();
    const [deaf, cancelled] = [await fixture.create(), await fixture.create()];
    await fixture.reaches(deaf, "PROCESSING");
    await fixture.reaches(cancelled, "PROCESSING");
    await fixture.jobs.decide(me, cancelled, "cancel");
    expect(await runner.stop(0)).toEqual({ finished: 0, givenBack: 1 });
    expect(await fixture.job(deaf)).toMatchObject({ status: "PENDING", retries: 0 });
    expect((await fixture.job(cancelled)).error?.code).toBe("CANCELLED");
    expect(fixture.logged).toEqual([]);
  });

  test("gives jobs of a claim under way the same grace", async () => {
    const { engine } = fixture;
    const claiming = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    fixture.engine = {
      ...engine,
      claim: async (request) => {
        const claims = await engine.claim(request);
        claiming.resolve();
        await answer.promise;
        return claims;
      },
    };
    const jobId = await fixture.create();
    const runner = fixture.startRunner();
    await claiming.promise;
    const stopped = runner.stop(60_000);
    answer.resolve();
    await stopped;
    expect((await fixture.job(jobId)).status).toBe("DELIVERED");
  });

  test("gives back at once a job that could not be watched yet", async () => {
    fixture.engine = { ...fixture.engine, onAppend: () => new Promise(() => {}) };
    fixture.run = ({ signal }) => untilAborted(signal);
    const runner = fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    expect(await runner.stop(0)).toEqual({ finished: 0, givenBack: 1 });
    expect(await fixture.job(jobId)).toMatchObject({ status: "PENDING", retries: 0 });
  });

  test("keeps a result that only waits to be stored, if the engine comes back in time", async () => {
    const { engine } = fixture;
    let works = false;
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "deliver" && !works) {
          throw new AppError("UNAVAILABLE", "The disk is full.");
        }
        return engine.change(jobId, change, ...rest);
      },
    };
    const runner = fixture.startRunner({ storeAgainMs: 3_600_000 });
    const jobId = await fixture.create();
    await eventually(() => expect(fixture.logged).toHaveLength(1));
    works = true;
    await runner.stop(0);
    expect((await fixture.job(jobId)).status).toBe("DELIVERED");
  });
});
