/** Reports that the code of a kind makes in every wrong way: they end its own job at the most. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunContext } from "#server/kinds/define.ts";
import { MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import { DONE, openJobsFixture, type JobsFixture, untilAborted } from "#test/jobs/jobs.fixture.ts";

const FAULT = { status: "ABORTED", attempt: 1, error: { code: "KIND_FAILED" } };

let fixture: JobsFixture;

beforeEach(async () => {
  fixture = await openJobsFixture();
});
afterEach(() => fixture.close());

const CALLS: [string, (context: RunContext<unknown>) => unknown, string][] = [
  ["progress", ({ progress }) => progress("5" as never, "x"), "`progress` takes a number"],
  ["progress", ({ progress }) => progress(5n as never, "x"), "`progress` takes a number"],
  ["progress", ({ progress }) => progress(5, null as never), "`progress` takes text"],
  [
    "progress",
    ({ progress }) => progress(5, Object.create(null) as never),
    "`progress` takes text",
  ],
  ["draft", ({ draft }) => draft(undefined as never), "`draft` takes text"],
  ["draft", ({ draft }) => draft(Symbol("x") as never), "`draft` takes text"],
  [
    "log",
    ({ log }) => log("fatal" as never, "x"),
    "`log` takes a level (debug, info, warn, error)",
  ],
  ["log", ({ log }) => log("info", new Error("x") as never), "`log` takes text"],
];
test.each(CALLS)(
  "[H6] %s of a wrong type ends the job, awaited or not",
  async (_what, call, message) => {
    for (const run of [
      async (context: RunContext<unknown>) => {
        await call(context);
        return DONE;
      },
      async (context: RunContext<unknown>) => {
        void call(context);
        return untilAborted(context.signal);
      },
    ]) {
      const job = await fixture.end(run);
      expect(job).toMatchObject(FAULT);
      expect(job.message).toContain(message);
    }
  },
);

test("endless messages are cut, and other jobs report meanwhile", async () => {
  const job = await fixture.end(async ({ progress }) => {
    await progress(20, "m".repeat(5_000_000));
    return DONE;
  });
  expect((await fixture.log(job.id))[2]?.message).toHaveLength(MAX_MESSAGE_CHARS);
});

test("[H11] that nothing awaits end the job when 1,000 are not stored yet", async () => {
  const job = await fixture.end(async ({ progress, signal }) => {
    for (let step = 0; step < 3000; step += 1) void progress(step / 30, `${step}`);
    return untilAborted(signal);
  });
  expect(job).toMatchObject({ status: "ABORTED", error: { code: "TOO_MANY_REPORTS" } });
  expect(job.message).toContain("1,000 calls of `progress`");
  expect(job.version).toBeLessThanOrEqual(1003);
});

test("[H11] of a draft that is too large end the job, and what was stored stays", async () => {
  const job = await fixture.end(async ({ draft, signal }) => {
    for (let piece = 0; piece < 40; piece += 1) void draft("é".repeat(50_000));
    return untilAborted(signal);
  });
  expect(job).toMatchObject({ status: "ABORTED", error: { code: "DRAFT_TOO_LARGE" } });
  expect(job.message).toContain("2,100,000 bytes; the limit is 2,097,152 bytes");
  const { pieces = [] } = (await fixture.engine.readDraft(job.id, 0)) ?? {};
  expect(pieces.map(({ text }) => text).join("")).toBe("é".repeat(20 * 50_000));
});

test("of code whose attempt is over are refused, and change nothing", async () => {
  let context: RunContext<unknown> | undefined;
  const job = await fixture.end(async (given) => {
    context = given;
    return DONE;
  });
  await expect(context?.progress(50, "late")).rejects.toMatchObject({ code: "CLAIM_LOST" });
  await expect(context?.draft("late")).rejects.toMatchObject({ code: "CLAIM_LOST" });
  void context?.progress(null as never, null as never);
  expect(await fixture.job(job.id)).toEqual(job);
});

test("code that goes on after its job was ended is told to stop", async () => {
  const told = Promise.withResolvers<unknown>();
  await fixture.end(async ({ progress, signal }) => {
    signal.addEventListener("abort", () => told.resolve(signal.reason));
    void progress(5, null as never);
    return new Promise(() => {});
  });
  expect(await told.promise).toBeDefined();
});
