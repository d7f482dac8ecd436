/** The log lines of running jobs, for operators. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { blocked, Failure, type Outcome, Transient } from "#server/kinds/define.ts";
import { me } from "#test/jobs/acting.ts";
import {
  DONE,
  eventually,
  openJobsFixture,
  type JobsFixture,
  type Run,
  untilAborted,
} from "#test/jobs/jobs.fixture.ts";

let fixture: JobsFixture;

beforeEach(async () => {
  fixture = await openJobsFixture();
});
afterEach(() => fixture.close());

const BLOCKED: Outcome<unknown> = blocked("Look at it", null);

test.each<[what: string, status: "DELIVERED" | "BLOCKED" | "ABORTED", run: Run, line: object]>([
  ["is delivered", "DELIVERED", async () => DONE, { msg: "job delivered" }],
  ["is blocked", "BLOCKED", async () => BLOCKED, { msg: "job blocked", reason: "Look at it" }],
  [
    "fails",
    "ABORTED",
    () => Promise.reject(new Failure("PAGE_STATUS", "It answered with status 404")),
    { msg: "job aborted", code: "PAGE_STATUS", reason: "It answered with status 404" },
  ],
])("a job that %s has a line at its start and one at its end, and none between", async (...row) => {
  const [, status, run, line] = row;
  fixture.run = async (context) => {
    await context.progress(20, "Some");
    await context.progress(40, "More");
    fixture.advance(1234);
    return run(context);
  };
  fixture.startRunner();
  const jobId = await fixture.create();
  await fixture.reaches(jobId, status);
  await eventually(() => expect(fixture.noted).toHaveLength(2));
  const who = { jobId, kind: "work", attempt: 1 };
  expect(fixture.noted).toEqual([
    expect.objectContaining({ ...who, msg: "job started" }),
    expect.objectContaining({ ...who, ...line, ms: 1234 }),
  ]);
  expect(fixture.logged).toEqual([]);
});

test("a job that is to be tried again is warned of, with the reason", async () => {
  fixture.run = () => Promise.reject(new Transient("BUSY", "The model is busy"));
  fixture.startRunner();
  const jobId = await fixture.create();
  await eventually(() => expect(fixture.logged).toHaveLength(1));
  expect(fixture.logged).toMatchObject([
    {
      msg: "job released for a retry",
      jobId,
      kind: "work",
      attempt: 1,
      reason: "The model is busy - Trying again in 1 s",
    },
  ]);
});

test("the log has a warning when the job of a dead runner is found", async () => {
  fixture.run = () => new Promise(() => {});
  fixture.startRunner();
  const jobId = await fixture.create();
  await fixture.reaches(jobId, "PROCESSING");
  await fixture.crash();
  fixture.run = async () => DONE;
  fixture.logged.length = 0;
  fixture.startRunner();
  await fixture.reaches(jobId, "DELIVERED");
  expect(fixture.logged).toMatchObject([
    {
      msg: "job released for a retry",
      jobId,
      attempt: 1,
      reason: "Job given back - Its runner stopped unexpectedly",
    },
  ]);
});

test("a job that is cancelled is left, and one that a shutdown gives back goes on later", async () => {
  fixture.run = ({ signal }) => untilAborted(signal);
  const runner = fixture.startRunner();
  const [cancelled, kept] = [await fixture.create(), await fixture.create()];
  await fixture.reaches(cancelled, "PROCESSING");
  await fixture.reaches(kept, "PROCESSING");
  await fixture.jobs.decide(me, cancelled, "cancel");
  await eventually(() => expect(runner.running()).toBe(1));
  await runner.stop(0);
  expect(fixture.noted.slice(2)).toMatchObject([
    { jobId: cancelled, msg: "job left: it was cancelled, or another runner has it" },
    { jobId: kept, msg: "job given back; it runs again after the next start" },
  ]);
  expect(fixture.logged).toEqual([]);
});
