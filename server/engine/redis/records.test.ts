import { expect, test } from "vitest";
import { applyChange, createdJob } from "#shared/lifecycle.ts";
import { eventOf } from "#shared/events.ts";
import { summaryOf } from "#shared/job.ts";
import { at, newId, newJob, START } from "#test/engine/builders.ts";
import { decodeEvent, decodeSummary, encodeEvent, encodeSummary } from "./records.ts";

const created = createdJob(newJob(), at(0)).job;
const started = applyChange(created, START, at(1)).job;
const failed = applyChange(
  started,
  { action: "fail", error: { code: "FETCH_FAILED", message: 'No page, "none"' } },
  at(2),
).job;

const reported = applyChange(
  started,
  { action: "progress", progress: 20, message: "One", details: null },
  at(1),
).job;

const options = { startsAt: at(60), expiresInMs: 1000, priority: 2, maxAttempts: 5 };
const waiting = createdJob(newJob(options), at(0)).job;
const scheduled = createdJob(newJob({ scheduleId: newId() }), at(0)).job;
const urgent = createdJob(newJob({ priority: 9 }), at(0)).job;

test.each(
  [
    created,
    started,
    reported,
    failed,
    waiting,
    urgent,
    scheduled,
    applyChange(waiting, START, at(70)).job,
    { ...reported, ...options, expiresAt: at(61) },
  ].map(summaryOf),
)("a record with the status $status survives encoding", (job) => {
  expect(decodeSummary(encodeSummary(job))).toEqual(job);
  expect(Object.keys(decodeSummary(encodeSummary(job)))).toEqual(Object.keys(job));
});

test("a record of version 5, which has options, has no schedule", () => {
  const stored = JSON.parse(encodeSummary(summaryOf({ ...waiting, scheduleId: newId() })));
  const decoded = decodeSummary(JSON.stringify((stored as unknown[]).slice(0, -1)));
  expect(decoded).toEqual(summaryOf(waiting));
});

test.each([created, failed].map(summaryOf))(
  "a record of version 1 with the status $status is decoded",
  (job) => {
    const { createdAt, startedAt, finishedAt } = job;
    const stored = {
      ...job,
      createdAt: createdAt.getTime(),
      startedAt: startedAt?.getTime() ?? null,
      finishedAt: finishedAt?.getTime() ?? null,
    };
    expect(decodeSummary(JSON.stringify(stored))).toEqual(job);
  },
);

test.each([undefined, { user: "ann", via: "key" } as const])(
  "an event with the actor %j survives encoding, with details and without",
  (actor) => {
    for (const details of [undefined, null, { done: 1 }]) {
      const event = eventOf("aborted", {
        jobId: created.id,
        seq: 4,
        at: at(3),
        attempt: 1,
        progress: 20,
        message: "Cancelled",
        actor,
        details,
      });
      const decoded = decodeEvent(created.id, encodeEvent(event));
      expect(decoded).toStrictEqual(event);
      expect(Object.keys(decoded)).toEqual(Object.keys(event));
    }
  },
);
