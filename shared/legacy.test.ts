import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregateOf, type BatchRecord, emptyCounts } from "./batch.ts";
import { JobEventSchema } from "./events.schema.ts";
import type { JobEvent } from "./events.ts";
import {
  LegacyBatchPayloadSchema,
  LegacyBatchRequestSchema,
  LegacyJobPayloadSchema,
  LegacyJobRequestSchema,
} from "./legacy.schema.ts";
import type { JobSummary } from "./job.ts";
import { legacyOfBatch, legacyOfFeed, legacyOfJob } from "./legacy.ts";

const base = {
  jobId: "550e8400-e29b-41d4-a716-446655440000",
  seq: 3,
  at: new Date("2025-11-08T23:50:00.000Z"),
  attempt: 1,
};

const STATUS_OF = {
  created: "PENDING",
  started: "PROCESSING",
  progress: "PROCESSING",
  retrying: "PENDING",
  delivered: "DELIVERED",
  blocked: "BLOCKED",
  aborted: "ABORTED",
  approved: "DELIVERED",
  rejected: "ABORTED",
  requeued: "PENDING",
} as const satisfies Record<JobEvent["type"], JobEvent["status"]>;

function eventOf(type: JobEvent["type"], progress: number, message: string): JobEvent {
  return JobEventSchema.parse({ ...base, type, status: STATUS_OF[type], progress, message });
}

describe("a job's event", () => {
  test("[L1] is the guide's example of an update, field by field", () => {
    const event = eventOf("progress", 45, "Content generated - Running quality checks");
    expect(legacyOfJob(event)).toEqual([
      {
        name: "job:update",
        payload: {
          job_id: "550e8400-e29b-41d4-a716-446655440000",
          status: "PROCESSING",
          progress: 45,
          message: "Content generated - Running quality checks",
          timestamp: "2025-11-08T23:50:00.000Z",
        },
      },
    ]);
  });

  test("[L1] [L2] is the guide's example of a failure: job:error, then job:update, at progress 0", () => {
    const messages = legacyOfJob(eventOf("aborted", 45, "API key invalid"));
    expect(messages.map(({ name }) => name)).toEqual(["job:error", "job:update"]);
    for (const { payload } of messages) {
      expect(payload).toEqual({
        job_id: "550e8400-e29b-41d4-a716-446655440000",
        status: "ABORTED",
        progress: 0,
        message: "Error: API key invalid",
        timestamp: "2025-11-08T23:50:00.000Z",
      });
    }
  });

  test("[L1] is at progress 100 where the checks block it", () => {
    const payloads = legacyOfJob(eventOf("blocked", 82, "Blocked")).map(({ payload }) => payload);
    expect(payloads).toEqual([expect.objectContaining({ status: "BLOCKED", progress: 100 })]);
  });

  test.each([
    ["created", ["job:update"]],
    ["started", ["job:update"]],
    ["progress", ["job:update"]],
    ["retrying", ["job:update"]],
    ["delivered", ["job:completed", "job:update"]],
    ["blocked", ["job:update"]],
    ["aborted", ["job:error", "job:update"]],
    ["approved", ["job:completed", "job:update"]],
    ["rejected", ["job:error", "job:update"]],
    ["requeued", ["job:update"]],
  ] as const)("[L2] of type %s is sent as %j", (type, names) => {
    expect(legacyOfJob(eventOf(type, 50, "")).map(({ name }) => name)).toEqual(names);
  });

  test("[L1] has exactly the guide's fields, whatever it holds beside them", () => {
    const Strict = LegacyJobPayloadSchema.strict();
    fc.assert(
      fc.property(
        fc.constantFrom(...(Object.keys(STATUS_OF) as JobEvent["type"][])),
        fc.integer({ min: 0, max: 100 }),
        fc.string(),
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31") }),
        (type, progress, message, at) => {
          const actor = { user: "ann", via: "token" } as const;
          const more = { at, actor, details: { done: 1 }, skipped: 3, gap: true as const };
          const event = { ...eventOf(type, progress, message), ...more };
          for (const { payload } of legacyOfJob(event)) {
            expect(Strict.parse(payload)).toEqual(payload);
          }
        },
      ),
    );
  });
});

const batchOf = (counts: Partial<BatchRecord["counts"]>): BatchRecord => ({
  id: "650e8400-e29b-41d4-a716-446655440000",
  name: null,
  tenant: "t",
  owner: "o",
  counts: { ...emptyCounts(), ...counts },
  version: 1,
  createdAt: base.at,
  updatedAt: base.at,
});

describe("a batch's aggregate", () => {
  test("[L1] is the guide's example, field by field", () => {
    const aggregate = aggregateOf(
      batchOf({ PENDING: 20, PROCESSING: 7, DELIVERED: 20, ABORTED: 3 }),
    );
    expect(legacyOfBatch(aggregate)).toEqual([
      {
        name: "batch:update",
        payload: {
          batch_id: "650e8400-e29b-41d4-a716-446655440000",
          total: 50,
          completed: 23,
          progress: 46,
          status: "running",
          message: "Processing batch...",
          timestamp: "2025-11-08T23:50:00.000Z",
        },
      },
    ]);
  });

  test("[L1] has exactly the guide's fields, in every state", () => {
    const Strict = LegacyBatchPayloadSchema.strict();
    const count = fc.nat(50);
    fc.assert(
      fc.property(count, count, count, count, count, (...n) => {
        const [PENDING, PROCESSING, DELIVERED, BLOCKED, ABORTED] = n;
        const batch = batchOf({ PENDING, PROCESSING, DELIVERED, BLOCKED, ABORTED });
        const [message] = legacyOfBatch({ ...aggregateOf(batch), gap: true });
        expect(Strict.parse(message?.payload)).toEqual(message?.payload);
      }),
    );
  });
});

test("a request is an id under its name, of 1 to 200 characters; what comes beside it is dropped", () => {
  expect(LegacyJobRequestSchema.parse({ job_id: "a", more: 1 })).toEqual({ job_id: "a" });
  expect(LegacyBatchRequestSchema.parse({ batch_id: "b".repeat(200) }).batch_id).toHaveLength(200);
  for (const bad of [
    null,
    [],
    "a",
    {},
    { job_id: "" },
    { job_id: 1 },
    { job_id: "a".repeat(201) },
  ]) {
    expect(LegacyJobRequestSchema.safeParse(bad).success).toBe(false);
  }
});

describe("a job of a feed", () => {
  const seenAt = new Date("2025-11-08T23:59:00.000Z");
  const job: JobSummary = {
    id: base.jobId,
    kind: "article",
    title: "A title",
    tenant: "acme",
    owner: "ann",
    status: "PENDING",
    progress: 0,
    message: "Queued",
    attempt: 0,
    retries: 0,
    batchId: null,
    scheduleId: null,
    error: null,
    priority: 0,
    maxAttempts: null,
    createdAt: base.at,
    startsAt: null,
    expiresAt: null,
    startedAt: null,
    finishedAt: null,
    version: 1,
  };

  test.each<[JobSummary["status"], Partial<JobSummary>, number, string, Date]>([
    ["PENDING", {}, 0, "Queued", base.at],
    ["PENDING", { version: 5 }, 0, "Queued", seenAt],
    ["PROCESSING", { version: 2, progress: 45 }, 45, "Queued", seenAt],
    ["BLOCKED", { version: 3, progress: 80, finishedAt: base.at }, 100, "Queued", base.at],
    ["DELIVERED", { version: 3, progress: 100, finishedAt: base.at }, 100, "Queued", base.at],
    ["ABORTED", { version: 3, progress: 45, finishedAt: base.at }, 0, "Error: Queued", base.at],
  ])("[L1] [L6] that is %s (%j) is one job:update, as its event is", (status, state, ...shown) => {
    const [progress, message, at] = shown;
    const messages = legacyOfFeed({ rev: 1, job: { ...job, ...state, status } }, seenAt);
    expect(messages).toEqual([
      {
        name: "job:update",
        payload: { job_id: job.id, status, progress, message, timestamp: at.toISOString() },
      },
    ]);
    expect(LegacyJobPayloadSchema.parse(messages[0]?.payload)).toEqual(messages[0]?.payload);
  });

  test("is nothing where there is none", () => {
    expect(legacyOfFeed({ rev: 1, job: null, gap: true }, seenAt)).toEqual([]);
  });
});
