import { expect, test } from "vitest";
import { applyChange, createdJob } from "#shared/lifecycle.ts";
import { summaryOf } from "#shared/job.ts";
import { at, newJob, START } from "#test/engine/builders.ts";
import { decodeSummary, encodeSummary } from "./records.ts";

const created = createdJob(newJob(), at(0)).job;
const started = applyChange(created, START, at(1)).job;
const failed = applyChange(
  started,
  { action: "fail", error: { code: "FETCH_FAILED", message: 'No page, "none"' } },
  at(2),
).job;

test.each([created, started, failed].map(summaryOf))(
  "a record with the status $status survives encoding",
  (job) => {
    expect(decodeSummary(encodeSummary(job))).toEqual(job);
    expect(Object.keys(decodeSummary(encodeSummary(job)))).toEqual(Object.keys(job));
  },
);

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
