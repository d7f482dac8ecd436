import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { defineKind, Failure, type KindDefinition } from "#server/kinds/define.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { me } from "#test/jobs/acting.ts";
import {
  DONE,
  eventually,
  openJobsFixture,
  type JobsFixture,
  untilAborted,
} from "#test/jobs/jobs.fixture.ts";
import type { RunnerOptions } from "./runner.ts";

const input = z.object({ name: z.string().default("it") });
type Policies = Partial<KindDefinition<string, typeof input, z.ZodUnknown>>;
const limited = (name: string, policies: Policies) =>
  defineKind({
    ...policies,
    name,
    input,
    output: z.unknown(),
    run: (context) => fixture.run(context as never),
  });

let fixture: JobsFixture;
/** Time limits that have not ended. */
let limits: { ms: number; end: () => void }[] = [];

beforeEach(async () => {
  limits = [];
  fixture = await openJobsFixture([
    limited("brief", { timeLimitMs: 1500 }),
    limited("again", {
      timeLimitMs: 250,
      retry: { maxAttempts: 2, backoff: { firstMs: 8000, jitter: 0 }, afterTimeLimit: true },
    }),
  ]);
});
afterEach(() => fixture.close());

function startRunner(options: Partial<RunnerOptions> = {}) {
  return fixture.startRunner({
    concurrency: 1,
    stopMs: 1,
    timer: {
      ...SYSTEM_CLOCK,
      after(ms, end) {
        const limit = { ms, end };
        limits.push(limit);
        return () => void (limits = limits.filter((each) => each !== limit));
      },
    },
    ...options,
  });
}

const create = async (kind: string) => (await fixture.jobs.create(me, { kind, input: {} })).id;

/** The time limit of the only attempt ends. */
async function endTime(): Promise<void> {
  await eventually(() => expect(limits).toHaveLength(1));
  limits[0]?.end();
}

describe("[E11] an attempt that takes longer than its kind allows", () => {
  test("has its signal aborted with the reason, and ends the job with what it wrote so far", async () => {
    const reason = Promise.withResolvers<unknown>();
    fixture.run = async ({ signal, draft, log, progress }) => {
      await progress(40, "Begun");
      await draft("So far so good");
      log("info", "asked the model");
      await untilAborted(signal).catch(() => reason.resolve(signal.reason));
      log("info", "too late");
      return DONE;
    };
    startRunner();
    const jobId = await create("brief");
    await eventually(async () => expect((await fixture.job(jobId)).progress).toBe(40));
    await endTime();
    const error = {
      code: "TIME_LIMIT",
      message: 'It took longer than 1.5 s, the time limit of "brief"',
    };
    expect(await fixture.reaches(jobId, "ABORTED")).toMatchObject({ attempt: 1, error });
    expect(await reason.promise).toBeInstanceOf(Failure);
    expect(await reason.promise).toMatchObject(error);
    const draft = await fixture.engine.readDraft(jobId, 0);
    expect(draft?.pieces.map(({ text }) => text)).toEqual(["So far so good"]);
    const lines = await fixture.engine.readLines(jobId, 0, 9);
    expect(lines?.lines.map(({ message }) => message)).toEqual(["asked the model"]);
    expect(fixture.logged).toEqual([]);
  });

  test("loses its place and is forgotten also where its code ignores the signal, however often", async () => {
    fixture.run = ({ input: { name } }) =>
      name === "quick" ? Promise.resolve(DONE) : new Promise(() => {});
    const runner = startRunner();
    for (let round = 0; round < 3; round++) {
      const jobId = await create("brief");
      await endTime();
      await fixture.reaches(jobId, "ABORTED");
      await eventually(() => expect(runner.running()).toBe(0));
    }
    await fixture.reaches(await fixture.create("quick"), "DELIVERED");
    expect(await runner.stop(0)).toEqual({ finished: 0, givenBack: 0 });
  });

  test("is retried where the kind says so, as often and as late as it says", async () => {
    fixture.run = ({ signal }) => untilAborted(signal);
    startRunner();
    const jobId = await create("again");
    await endTime();
    const message = 'It took longer than 250 ms, the time limit of "again"';
    await eventually(async () =>
      expect(await fixture.job(jobId)).toMatchObject({
        status: "PENDING",
        retries: 1,
        message: `${message} - Trying again in 8 s`,
      }),
    );
    await eventually(() => expect(limits).toEqual([]));
    fixture.advance(8000);
    await endTime();
    expect(await fixture.reaches(jobId, "ABORTED")).toMatchObject({
      attempt: 2,
      error: { code: "TIME_LIMIT", message },
    });
  });

  test("is delivered if its code returned before, although its end is not stored yet", async () => {
    const gate = Promise.withResolvers<void>();
    const { engine } = fixture;
    const told: (() => void)[] = [];
    fixture.engine = {
      ...engine,
      async change(jobId, change, ...rest) {
        if (change.action === "deliver") {
          told.forEach((end) => end());
          await gate.promise;
        }
        return engine.change(jobId, change, ...rest);
      },
    };
    fixture.run = async () => {
      await eventually(() => expect(limits).toHaveLength(1));
      // A timer that fires although it was stopped.
      told.push(...limits.map(({ end }) => end));
      return DONE;
    };
    startRunner();
    const jobId = await create("brief");
    await eventually(() => expect(told).toHaveLength(1));
    gate.resolve();
    expect(await fixture.reaches(jobId, "DELIVERED")).toMatchObject({ error: null });
    expect(limits).toEqual([]);
  });

  test("stays cancelled if it was before, and code that never ends does not keep its place", async () => {
    fixture.run = () => new Promise(() => {});
    const runner = startRunner({ stopMs: 60_000 });
    const jobId = await create("brief");
    await fixture.reaches(jobId, "PROCESSING");
    await fixture.jobs.decide(me, jobId, "cancel");
    await endTime();
    await runner.stop(0);
    expect(await fixture.job(jobId)).toMatchObject({ error: { code: "CANCELLED" } });
  });

  test("is forgotten, with its claim, when it was cancelled and does not stop", async () => {
    fixture.run = () => new Promise(() => {});
    const runner = startRunner();
    const jobId = await fixture.create();
    await fixture.reaches(jobId, "PROCESSING");
    await fixture.jobs.decide(me, jobId, "cancel");
    await eventually(() => expect(runner.running()).toBe(0));
    expect(limits).toEqual([]);
  });
});
