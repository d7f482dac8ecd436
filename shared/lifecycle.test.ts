import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "./errors.ts";
import { JobEventSchema } from "./events.schema.ts";
import type { JobEvent } from "./events.ts";
import { JobSchema } from "./job.schema.ts";
import { isSettled, type Job, JOB_STATUSES, type JobStatus } from "./job.ts";
import {
  applyChange,
  CREATED_MESSAGE,
  createdJob,
  EVENT_OF,
  type JobAction,
  type JobChange,
  LIFECYCLE,
  type NewJob,
} from "./lifecycle.ts";

const T0 = new Date(Date.UTC(2026, 0, 1));
const T1 = new Date(Date.UTC(2026, 0, 1, 0, 1));
const T2 = new Date(Date.UTC(2026, 0, 1, 0, 2));

const FRESH: NewJob = {
  id: "0198c5a0-0000-7000-8000-000000000000",
  kind: "article",
  title: "An article",
  tenant: "acme",
  owner: "ann",
  input: { words: 900 },
  batchId: null,
};

const START: JobChange = { action: "start", progress: 10, message: "Started" };
const DELIVER: JobChange = { action: "deliver", message: "Done", output: "text" };
const BLOCK: JobChange = { action: "block", message: "Too short", output: "tex" };
const FAIL: JobChange = { action: "fail", error: { code: "BROKEN", message: "It broke" } };

function after(...changes: JobChange[]): Job {
  return changes.reduce((job, change) => applyChange(job, change, T1).job, created());
}

function created(): Job {
  return createdJob(FRESH, T0).job;
}

function release(counts: boolean): JobChange {
  return { action: "release", message: "Given back", delayMs: 0, counts };
}

const note = fc.option(fc.string(), { nil: undefined });
const progress = fc.integer({ min: 0, max: 100 });
const change: fc.Arbitrary<JobChange> = fc.oneof(
  fc.record({ action: fc.constant("start" as const), progress, message: fc.string() }),
  fc.record({ action: fc.constant("progress" as const), progress, message: fc.string() }),
  fc.record({
    action: fc.constant("progress" as const),
    progress,
    message: fc.string(),
    details: fc.jsonValue(),
  }),
  fc.record({
    action: fc.constant("release" as const),
    message: fc.string(),
    delayMs: fc.nat(),
    counts: fc.boolean(),
  }),
  fc.record({
    action: fc.constantFrom("deliver" as const, "block" as const),
    message: fc.string(),
    output: fc.jsonValue(),
  }),
  fc.record({
    action: fc.constant("fail" as const),
    error: fc.record({ code: fc.string(), message: fc.string() }),
  }),
  fc.record({
    action: fc.constantFrom(
      "cancel" as const,
      "approve" as const,
      "reject" as const,
      "retry" as const,
      "regenerate" as const,
    ),
    note,
  }),
);

describe("the table", () => {
  test("has exactly the ways of the diagram", () => {
    const ways = Object.entries(LIFECYCLE).flatMap(([from, row]) =>
      Object.entries(row)
        .filter(([, to]) => to !== null)
        .map(([action, to]) => `${from} ${action} ${to}`),
    );
    expect(ways.toSorted()).toEqual(
      [
        "PENDING start PROCESSING",
        "PENDING cancel ABORTED",
        "PENDING expire ABORTED",
        "PENDING debounce PENDING",
        "PROCESSING progress PROCESSING",
        "PROCESSING release PENDING",
        "PROCESSING deliver DELIVERED",
        "PROCESSING block BLOCKED",
        "PROCESSING fail ABORTED",
        "PROCESSING cancel ABORTED",
        "BLOCKED approve DELIVERED",
        "BLOCKED reject ABORTED",
        "BLOCKED regenerate PENDING",
        "ABORTED retry PENDING",
        "PENDING requeue PENDING",
        "DELIVERED requeue PENDING",
        "ABORTED requeue PENDING",
        "PENDING remove ABORTED",
        "PROCESSING remove ABORTED",
      ].toSorted(),
    );
  });

  test("leads out of every status but DELIVERED, unless a mirror sees that its queue runs it again", () => {
    for (const status of JOB_STATUSES) {
      const { requeue: _, ...own } = LIFECYCLE[status];
      const out = Object.values(own).some((to) => to !== null);
      expect(out).toBe(status !== "DELIVERED");
    }
  });
});

describe("a new job", () => {
  test("is PENDING, and its first event says so", () => {
    const { job, event } = createdJob({ ...FRESH, idempotencyKey: "k" }, T0);
    expect(JobSchema.strict().parse(job)).toEqual({
      ...FRESH,
      status: "PENDING",
      progress: 0,
      message: CREATED_MESSAGE,
      attempt: 0,
      retries: 0,
      error: null,
      priority: 0,
      maxAttempts: null,
      scheduleId: null,
      createdAt: T0,
      startsAt: null,
      expiresAt: null,
      startedAt: null,
      finishedAt: null,
      version: 1,
      output: null,
    });
    expect(JobEventSchema.parse(event)).toEqual({
      jobId: FRESH.id,
      seq: 1,
      at: T0,
      attempt: 0,
      type: "created",
      status: "PENDING",
      progress: 0,
      message: CREATED_MESSAGE,
    });
  });
});

describe("each change", () => {
  test("start counts the attempt", () => {
    expect(after(START)).toMatchObject({
      status: "PROCESSING",
      attempt: 1,
      progress: 10,
      message: "Started",
      startedAt: T1,
    });
    expect(after(START, release(true), START).attempt).toBe(2);
  });

  test("release goes back to the queue, and uses up a retry only where it counts", () => {
    expect(after(START, release(true))).toMatchObject({
      status: "PENDING",
      progress: 0,
      retries: 1,
      attempt: 1,
      startedAt: null,
      message: "Given back",
    });
    expect(after(START, release(false)).retries).toBe(0);
  });

  test("deliver and block keep the output; block keeps the progress", () => {
    expect(after(START, DELIVER)).toMatchObject({ output: "text", progress: 100, finishedAt: T1 });
    expect(after(START, BLOCK)).toMatchObject({ output: "tex", progress: 10, finishedAt: T1 });
  });

  test("fail, cancel and reject say why, for people and for programs", () => {
    expect(after(START, FAIL)).toMatchObject({
      message: "It broke",
      error: { code: "BROKEN", message: "It broke" },
    });
    expect(after({ action: "cancel" })).toMatchObject({
      message: "Cancelled",
      error: { code: "CANCELLED", message: "Cancelled" },
      finishedAt: T1,
    });
    expect(after(START, BLOCK, { action: "reject", note: "dull" })).toMatchObject({
      message: "Rejected: dull",
      error: { code: "REJECTED", message: "Rejected: dull" },
    });
  });

  test("approve delivers what was blocked; an empty note is none", () => {
    expect(after(START, BLOCK, { action: "approve", note: "" })).toMatchObject({
      status: "DELIVERED",
      progress: 100,
      message: "Approved",
      output: "tex",
    });
  });

  test("retry and regenerate begin anew, with all retries and no output, error or end", () => {
    for (const job of [
      after(START, release(true), START, FAIL, { action: "retry" }),
      after(START, release(true), START, BLOCK, { action: "regenerate", note: "longer" }),
    ]) {
      expect(job).toMatchObject({
        status: "PENDING",
        progress: 0,
        retries: 0,
        attempt: 2,
        error: null,
        output: null,
        startedAt: null,
        finishedAt: null,
      });
    }
    expect(after(START, BLOCK, { action: "regenerate", note: "longer" }).message).toBe(
      "Queued to be made anew: longer",
    );
  });

  test("an illegal one names both states and what it would need", () => {
    expect(() => applyChange(created(), { action: "approve" }, T1)).toThrow(
      new AppError(
        "ILLEGAL_TRANSITION",
        `Job ${FRESH.id} is PENDING and cannot become DELIVERED: "approve" needs BLOCKED.`,
      ),
    );
    expect(() => applyChange(after(START, DELIVER), { action: "cancel" }, T1)).toThrow(
      `Job ${FRESH.id} is DELIVERED and cannot become ABORTED: "cancel" needs PENDING or PROCESSING.`,
    );
  });
});

interface Step {
  before: Job;
  change: JobChange;
  job: Job;
  event: JobEvent;
}

/** Applies random changes to a new job: the steps that were legal, and the errors of the others. */
function live(changes: JobChange[]): {
  steps: Step[];
  refused: { job: Job; change: JobChange; error: unknown }[];
} {
  const steps: Step[] = [];
  const refused: { job: Job; change: JobChange; error: unknown }[] = [];
  let job = created();
  for (const each of changes) {
    try {
      const made = applyChange(job, each, T1);
      steps.push({ before: job, change: each, ...made });
      ({ job } = made);
    } catch (error) {
      refused.push({ job, change: each, error });
    }
  }
  return { steps, refused };
}

const changes = fc.array(change, { maxLength: 60, size: "max" });

describe("whatever changes come", () => {
  test("each legal one gives the next record and its event", () => {
    fc.assert(
      fc.property(changes, (given) => {
        for (const { before, change: made, job, event } of live(given).steps) {
          const to = LIFECYCLE[before.status][made.action];
          expect(JobSchema.parse(job)).toEqual(job);
          expect(job).toMatchObject({ status: to, version: before.version + 1 });
          expect(job.finishedAt).toEqual(isSettled(job.status) ? T1 : null);
          expect(job.error === null).toBe(to !== "ABORTED");
          expect(JobEventSchema.parse(event)).toEqual({
            jobId: before.id,
            seq: job.version,
            at: T1,
            attempt: job.attempt,
            type: EVENT_OF[made.action],
            status: to,
            progress: job.progress,
            message: job.message,
            ...(Object.hasOwn(job, "details") && { details: job.details }),
          });
        }
      }),
    );
  });

  test("[J18] a job has the details that were reported last since it was queued, and otherwise none", () => {
    fc.assert(
      fc.property(changes, (given) => {
        let newest: { details?: unknown } = {};
        for (const { change: made, job, event } of live(given).steps) {
          if (job.status === "PENDING") newest = {};
          if (made.action === "progress" && made.details !== undefined) {
            newest = { details: JSON.parse(JSON.stringify(made.details)) as unknown };
          }
          for (const { details, ...others } of [job, event]) {
            expect("details" in job ? { details } : {}).toEqual(newest);
            expect(others).not.toHaveProperty("details");
          }
        }
      }),
    );
  });

  test("each illegal one names the state the job is in and the one it cannot get into", () => {
    fc.assert(
      fc.property(changes, (given) => {
        for (const { job, change: asked, error } of live(given).refused) {
          expect(LIFECYCLE[job.status][asked.action]).toBeNull();
          const [to] = targets(asked.action);
          expect(error).toBeInstanceOf(AppError);
          expect(error).toMatchObject({ code: "ILLEGAL_TRANSITION" });
          expect(String(error)).toContain(`is ${job.status} and cannot become ${to}`);
        }
      }),
    );
  });

  test("progress never falls within an attempt", () => {
    fc.assert(
      fc.property(changes, (given) => {
        const within = live(given).steps.filter(
          ({ before, job }) => before.status === "PROCESSING" && job.status !== "PENDING",
        );
        for (const { before, job } of within) {
          expect(job.attempt).toBe(before.attempt);
          expect(job.progress).toBeGreaterThanOrEqual(before.progress);
        }
      }),
    );
  });

  test("the record that is changed stays as it was", () => {
    fc.assert(
      fc.property(changes, (given) => {
        for (const { before, change: made } of live(given).steps) {
          const copy = structuredClone(before);
          applyChange(before, made, T2);
          expect(before).toEqual(copy);
        }
      }),
    );
  });
});

/** The statuses to which an action leads, from wherever it is legal. */
function targets(action: JobAction): JobStatus[] {
  return Object.values(LIFECYCLE)
    .map((row) => row[action])
    .filter((to) => to !== null);
}
