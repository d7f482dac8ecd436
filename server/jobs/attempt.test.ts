import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { blocked, delivered, Failure, type Outcome, Transient } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import { ownerOf } from "#shared/principal.ts";
import { me } from "#test/jobs/acting.ts";
import {
  DONE,
  eventually,
  openJobsFixture,
  type JobsFixture,
  untilAborted,
} from "#test/jobs/jobs.fixture.ts";

let fixture: JobsFixture;

beforeEach(async () => {
  fixture = await openJobsFixture();
});
afterEach(() => fixture.close());

/** The runner looked for work at this time of the clock: it found and did another job. */
async function runnerLooked(): Promise<void> {
  await fixture.reaches(await fixture.create("other"), "DELIVERED");
}

/** A job whose first attempt was told to come back in 90 s. */
async function createRateLimited(): Promise<string> {
  fixture.run = async ({ input, attempt }) => {
    if (input.name === "other" || attempt > 1) return DONE;
    throw new Transient("RATE_LIMITED", "Slow down", { retryAfterMs: 90_000 });
  };
  fixture.startRunner();
  const jobId = await fixture.create();
  await eventually(async () => expect((await fixture.job(jobId)).retries).toBe(1));
  return jobId;
}

/** Ends after the wait, which it must not do before. */
async function endOfWait(jobId: string) {
  fixture.advance(89_999);
  await runnerLooked();
  expect((await fixture.job(jobId)).status).toBe("PENDING");
  fixture.advance(1);
  await runnerLooked();
  return fixture.reaches(jobId, "DELIVERED");
}

describe("the machine's clock", () => {
  for (const [how, ms] of [
    ["back by 60 s", -60_000],
    ["back by an hour", -3_600_000],
    ["forward by an hour", 3_600_000],
  ] as const) {
    test(`set ${how} keeps no job from being started`, async () => {
      const jobId = await fixture.create();
      fixture.setClock(ms);
      fixture.startRunner();
      expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 1 });
    });

    test(`[J7] set ${how} neither prolongs nor shortens a backoff`, async () => {
      const jobId = await createRateLimited();
      fixture.setClock(ms);
      expect(await endOfWait(jobId)).toMatchObject({ attempt: 2 });
    });

    test(`set ${how} is not logged as the time that a job took`, async () => {
      fixture.run = async () => {
        fixture.setClock(ms);
        fixture.advance(1234);
        return DONE;
      };
      fixture.startRunner();
      await fixture.reaches(await fixture.create(), "DELIVERED");
      await eventually(() =>
        expect(fixture.noted.at(-1)).toMatchObject({ msg: "job delivered", ms: 1234 }),
      );
    });
  }
});

describe("a job that goes well", () => {
  test("starts with its kind's message, shows its steps and ends with its output", async () => {
    fixture.run = async ({ progress, input }) => {
      await progress(50, "Half of it");
      return delivered("Done", { worked: input });
    };
    fixture.startRunner();
    const jobId = await fixture.create("bread");
    const job = await fixture.reaches(jobId, "DELIVERED");
    expect(job).toMatchObject({ title: "Work on bread", attempt: 1, progress: 100 });
    expect(job.output).toEqual({ worked: { name: "bread" } });
    const log = await fixture.log(jobId);
    expect(log.map(({ type, progress, message }) => [type, progress, message])).toEqual([
      ["created", 0, "Job created and queued for processing"],
      ["started", 10, "Work started"],
      ["progress", 50, "Half of it"],
      ["delivered", 100, "Done"],
    ]);
  });

  test("has a whole percent that never falls, whatever its code reports", async () => {
    fixture.run = async ({ progress }) => {
      for (const percent of [33.4, 20, Number.NaN, -5, 66.5, Number.POSITIVE_INFINITY, 1]) {
        await progress(percent, `${percent}`);
      }
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "DELIVERED");
    const steps = (await fixture.log(jobId)).filter(({ type }) => type === "progress");
    expect(steps.map(({ progress }) => progress)).toEqual([33, 33, 33, 33, 67, 100, 100]);
  });

  test("may wait for a person, with its output", async () => {
    fixture.run = async () => blocked("Too short", { words: 3 });
    fixture.startRunner();
    const job = await fixture.reaches(await fixture.create(), "BLOCKED");
    expect(job).toMatchObject({ message: "Too short", output: { words: 3 } });
  });

  test("has all of its draft stored before it is delivered", async () => {
    fixture.run = async ({ draft }) => {
      for (const word of ["one ", "two ", "three"]) await draft(word);
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "DELIVERED");
    const pieces = (await fixture.engine.readDraft(jobId, 0))?.pieces ?? [];
    expect(pieces.map(({ text }) => text).join("")).toBe("one two three");
  });

  test("without any output has none", async () => {
    fixture.run = async () => delivered("Done", undefined);
    fixture.startRunner();
    expect((await fixture.reaches(await fixture.create(), "DELIVERED")).output).toBeNull();
  });
});

describe("a job that fails", () => {
  test("[J7] is retried with backoff after a transient error, never before its time, then given up", async () => {
    fixture.run = async ({ input }) => {
      if (input.name === "other") return DONE;
      throw new Transient("BUSY", "The model is busy");
    };
    fixture.startRunner({ random: () => 0.5 });
    const jobId = await fixture.create();
    for (const [retries, wait] of [
      [1, 750],
      [2, 1500],
    ] as const) {
      await eventually(async () => expect(await fixture.job(jobId)).toMatchObject({ retries }));
      expect(await fixture.job(jobId)).toMatchObject({
        status: "PENDING",
        message: `The model is busy - Trying again in ${Math.ceil(wait / 1000)} s`,
      });
      fixture.advance(wait - 1);
      await runnerLooked();
      expect(await fixture.job(jobId)).toMatchObject({ status: "PENDING", attempt: retries });
      fixture.advance(1);
      await runnerLooked();
    }
    const job = await fixture.reaches(jobId, "ABORTED");
    expect(job).toMatchObject({
      attempt: 3,
      error: { code: "BUSY", message: "The model is busy" },
    });
    const types = (await fixture.log(jobId)).map(({ type }) => type);
    expect(types.filter((type) => type === "retrying")).toHaveLength(2);
  });

  test("[J7] waits as long as the other side asked", async () => {
    const jobId = await createRateLimited();
    expect((await fixture.job(jobId)).message).toBe("Slow down - Trying again in 90 s");
    expect(await endOfWait(jobId)).toMatchObject({ attempt: 2 });
  });

  test("[J7] ends at once after an error that will not go better, with its code", async () => {
    fixture.run = async ({ draft }) => {
      await draft("So far so good");
      throw new Failure("PAGE_NOT_FOUND", "https://a.example is not there");
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    const job = await fixture.reaches(jobId, "ABORTED");
    expect(job).toMatchObject({
      attempt: 1,
      progress: 10,
      error: { code: "PAGE_NOT_FOUND", message: "https://a.example is not there" },
    });
    expect((await fixture.engine.readDraft(jobId, 0))?.pieces).toMatchObject([
      { text: "So far so good" },
    ]);
    expect(fixture.logged).toEqual([]);
  });

  test.each([
    ["an error", () => Promise.reject(new TypeError("x is not a function")), "x is not a function"],
    ["what is no error", () => Promise.reject("just text"), "just text"],
    [
      "an error before it returns a promise",
      () => {
        throw new Error("at once");
      },
      "at once",
    ],
    [
      "an error that looks like a lost job",
      () => Promise.reject(new AppError("NOT_FOUND", "no page")),
      "no page",
    ],
  ])(
    "is a fault of its kind when the code throws %s, and is logged",
    async (_what, run, message) => {
      fixture.run = run;
      fixture.startRunner();
      const job = await fixture.reaches(await fixture.create(), "ABORTED");
      expect(job.error).toEqual({ code: "KIND_FAILED", message });
      expect(fixture.logged).toMatchObject([
        { msg: "A kind threw an error that it does not declare" },
      ]);
    },
  );

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each([
    ["a circle", delivered("Done", circular)],
    ["a function", delivered("Done", () => 1)],
    ["a bigint", blocked("Look", { n: 1n })],
    ["no message", delivered(undefined as unknown as string, 1)],
  ] as [string, Outcome<unknown>][])(
    "is a fault of its kind when the result is %s, and not one of its runner",
    async (_what, outcome) => {
      fixture.run = async () => outcome;
      fixture.startRunner();
      const job = await fixture.reaches(await fixture.create(), "ABORTED");
      expect(job).toMatchObject({ attempt: 1, error: { code: "KIND_FAILED" } });
      expect(fixture.logged).toHaveLength(1);
    },
  );

  test("of a kind that this server does not know says so", async () => {
    const id = "01a20665-8cab-704e-9437-209e0533c3ad";
    const fresh = { id, kind: "gone", title: "Gone", input: {}, batchId: null, ...ownerOf(me) };
    await fixture.engine.createJob(fresh, fixture.now());
    fixture.startRunner();
    expect((await fixture.reaches(id, "ABORTED")).error).toEqual({
      code: "UNKNOWN_KIND",
      message: 'This server does not know the kind "gone"',
    });
  });
});

describe("a job that is cancelled", () => {
  test("[J8] is aborted at once; its code gets the signal, and can change nothing", async () => {
    const refused: string[] = [];
    fixture.run = async ({ signal, progress, draft }) => {
      await progress(20, "Working");
      await untilAborted(signal).catch(() => {});
      await progress(99, "Still here").catch((error: AppError) => refused.push(error.code));
      await draft("late").catch(() => {});
      return DONE;
    };
    const runner = fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () => expect((await fixture.job(jobId)).progress).toBe(20));
    await fixture.jobs.decide(me, jobId, "cancel", "changed my mind");
    await eventually(() => expect(runner.running()).toBe(0));
    expect(refused).toEqual(["CLAIM_LOST"]);
    expect(await fixture.job(jobId)).toMatchObject({
      status: "ABORTED",
      progress: 20,
      output: null,
      error: { code: "CANCELLED", message: "Cancelled: changed my mind" },
    });
    expect((await fixture.log(jobId)).at(-1)?.type).toBe("aborted");
    expect((await fixture.engine.readDraft(jobId, 0))?.pieces).toEqual([]);
    expect(fixture.logged).toEqual([]);
  });

  test("[J8] stays aborted when its code ignores the signal and fails or delivers much later", async () => {
    for (const end of [async () => DONE, () => Promise.reject(new Failure("LATE", "late"))]) {
      const gate = Promise.withResolvers<void>();
      fixture.run = async () => {
        await gate.promise;
        return end();
      };
      const runner = fixture.startRunner();
      const jobId = await fixture.create();
      await fixture.reaches(jobId, "PROCESSING");
      await fixture.jobs.decide(me, jobId, "cancel");
      expect(runner.running()).toBe(1);
      gate.resolve();
      await eventually(() => expect(runner.running()).toBe(0));
      expect((await fixture.job(jobId)).error?.code).toBe("CANCELLED");
      await runner.stop(0);
    }
    expect(fixture.logged).toEqual([]);
  });

  test("[J8] and retried runs anew while its old code still goes on, and only the new one counts", async () => {
    const old = Promise.withResolvers<void>();
    fixture.run = async ({ attempt }) => {
      if (attempt === 1) await old.promise;
      return delivered(`Done by ${attempt}`, attempt);
    };
    const runner = fixture.startRunner({ concurrency: 2 });
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    await fixture.jobs.decide(me, jobId, "cancel");
    await fixture.jobs.decide(me, jobId, "retry");
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ output: 2 });
    expect(runner.running()).toBe(1);
    old.resolve();
    await eventually(() => expect(runner.running()).toBe(0));
    expect(await fixture.job(jobId)).toMatchObject({ output: 2, message: "Done by 2" });
  });

  test("stops its code even without a hint: the next refused report ends it", async () => {
    const { engine } = fixture;
    fixture.engine = { ...engine, onAppend: async () => () => {} };
    let told = false;
    const cancelled = Promise.withResolvers<void>();
    fixture.run = async ({ signal, progress }) => {
      await cancelled.promise;
      await progress(50, "Half").catch(() => {});
      told = signal.aborted;
      return DONE;
    };
    const runner = fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    await fixture.jobs.decide(me, jobId, "cancel");
    cancelled.resolve();
    await eventually(() => expect(runner.running()).toBe(0));
    expect(told).toBe(true);
  });
});

describe("code that does not behave", () => {
  test("may leave refusals alone, and report after it returned, without harm", async () => {
    const late = Promise.withResolvers<() => void>();
    fixture.run = async ({ progress, draft, input }) => {
      if (input.name === "other") return DONE;
      late.resolve(() => {
        void progress(100, "Too late");
        void draft("x".repeat(100_000));
        void draft("too late");
      });
      void progress(40, "Not awaited");
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "DELIVERED");
    (await late.promise)();
    await runnerLooked();
    const types = (await fixture.log(jobId)).map(({ type }) => type);
    expect(types).toEqual(["created", "started", "progress", "delivered"]);
    expect((await fixture.engine.readDraft(jobId, 0))?.pieces).toEqual([]);
  });
});

describe("an engine that cannot be written for a while", () => {
  const full = new AppError("UNAVAILABLE", "The disk is full.");

  test("delays how a job ends, and loses nothing of it", async () => {
    const { engine } = fixture;
    let refusals = 3;
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "deliver" && refusals-- > 0) throw full;
        return engine.change(jobId, change, ...rest);
      },
    };
    fixture.startRunner();
    const job = await fixture.reaches(await fixture.create(), "DELIVERED");
    expect(job).toMatchObject({ attempt: 1, output: { ok: true } });
    expect(fixture.logged.map(({ msg }) => msg)).toEqual(
      Array.from(
        { length: 3 },
        () => "The end of an attempt could not be stored. The runner tries again",
      ),
    );
  });

  test("[J7] delays a final error too: the job does not run again because of it", async () => {
    const { engine } = fixture;
    let refusals = 3;
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "fail" && refusals-- > 0) throw full;
        return engine.change(jobId, change, ...rest);
      },
    };
    fixture.run = async () => {
      throw new Failure("BAD_PAGE", "The page is bad");
    };
    fixture.startRunner();
    const job = await fixture.reaches(await fixture.create(), "ABORTED");
    expect(job).toMatchObject({ attempt: 1, retries: 0, error: { code: "BAD_PAGE" } });
  });

  test("is no fault of the kind: the job runs again, and no retry is used up", async () => {
    const { engine } = fixture;
    let refused = false;
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        if (change.action === "progress" && !refused) {
          refused = true;
          throw full;
        }
        return engine.change(jobId, change, ...rest);
      },
    };
    fixture.run = async ({ progress, input }) => {
      if (input.name === "other") return DONE;
      await progress(50, "Half");
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    const message = "Its progress could not be stored - Trying again in 1 s";
    await eventually(async () => expect((await fixture.job(jobId)).message).toBe(message));
    expect(fixture.logged).toContainEqual(expect.objectContaining({ reason: "The disk is full." }));
    fixture.advance(1000);
    await runnerLooked();
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ attempt: 2, retries: 0 });
  });

  test("at a draft's commit makes the job one that is retried, not one that is delivered without it", async () => {
    const { engine } = fixture;
    let refused = false;
    fixture.engine = {
      ...engine,
      appendDraft: async (...args) => {
        if (refused) return engine.appendDraft(...args);
        refused = true;
        throw full;
      },
    };
    fixture.run = async ({ draft, input }) => {
      if (input.name !== "other") await draft("text");
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () =>
      expect(await fixture.job(jobId)).toMatchObject({ status: "PENDING", attempt: 1 }),
    );
    fixture.advance(1000);
    await runnerLooked();
    await fixture.reaches(jobId, "DELIVERED");
    expect((await fixture.engine.readDraft(jobId, 0))?.pieces).toMatchObject([
      { attempt: 2, text: "text" },
    ]);
  });
});

const linesOf = async (jobId: string) =>
  (await fixture.engine.readLines(jobId, 0, 99))?.lines.map(
    ({ attempt, level, message }) => `${attempt} ${level} ${message}`,
  );

describe("log lines", () => {
  test("[J20] of each attempt are stored before it ends, however it ends", async () => {
    fixture.run = async ({ attempt, log }) => {
      log("info", "begun");
      if (attempt === 1) throw new Transient("BUSY", "Come back");
      log("error", "gave up");
      throw new Failure("BROKEN", "It broke");
    };
    const runner = fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () => expect((await fixture.job(jobId)).retries).toBe(1));
    expect(await linesOf(jobId)).toEqual(["1 info begun"]);
    fixture.advance(60_000);
    await fixture.reaches(jobId, "ABORTED");
    expect(await linesOf(jobId)).toEqual(["1 info begun", "2 info begun", "2 error gave up"]);

    const given = Promise.withResolvers<void>();
    fixture.run = async ({ log, signal }) => {
      log("warn", "runs on");
      given.resolve();
      return untilAborted(signal);
    };
    const second = await fixture.create();
    await given.promise;
    await runner.stop(0);
    expect(await linesOf(second)).toEqual(["1 warn runs on"]);
  });

  test("[J20] that are written after the end change nothing", async () => {
    let late: (() => void) | undefined;
    fixture.run = async ({ log }) => {
      late = () => log("info", "late");
      log("info", "in time");
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "DELIVERED");
    late?.();
    await runnerLooked();
    expect(await linesOf(jobId)).toEqual(["1 info in time"]);
  });

  test("[J20] are stored before the end of an attempt whose draft cannot be", async () => {
    const { engine } = fixture;
    const full = new AppError("UNAVAILABLE", "The disk is full.");
    let refused = false;
    fixture.engine = {
      ...engine,
      async appendDraft(...args) {
        if (refused) return engine.appendDraft(...args);
        refused = true;
        throw full;
      },
      async appendLines(...args) {
        // Slower than the refusal.
        await new Promise((resolve) => setImmediate(resolve));
        return engine.appendLines(...args);
      },
    };
    fixture.run = async ({ log, draft, input, attempt }) => {
      if (input.name === "other") return DONE;
      log("info", `attempt ${attempt}`);
      await draft("text");
      return DONE;
    };
    fixture.startRunner();
    const jobId = await fixture.create();
    await eventually(async () =>
      expect(await fixture.job(jobId)).toMatchObject({ status: "PENDING", attempt: 1 }),
    );
    expect(await linesOf(jobId)).toEqual(["1 info attempt 1"]);
  });

  test("[J20] that cannot be stored fail no job, and the server's log says that they are lost", async () => {
    const { engine } = fixture;
    const full = new AppError("UNAVAILABLE", "The disk is full.");
    fixture.engine = { ...engine, appendLines: () => Promise.reject(full) };
    fixture.run = async ({ log }) => {
      log("info", "lost");
      return DONE;
    };
    fixture.startRunner();
    await fixture.reaches(await fixture.create(), "DELIVERED");
    expect(fixture.logged).toMatchObject([
      { msg: "The last log lines of an attempt are lost", reason: "The disk is full." },
    ]);
  });
});
