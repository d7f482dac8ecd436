import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchSchema, BatchAggregateSchema } from "./batch.schema.ts";
import {
  aggregateOf,
  batchOf,
  type BatchCounts,
  type BatchRecord,
  emptyCounts,
  isBatchSettled,
  recount,
} from "./batch.ts";
import { isSettled, JOB_STATUSES, type JobStatus } from "./job.ts";

const CREATED = new Date(Date.UTC(2026, 0, 1));
const LATER = new Date(Date.UTC(2026, 0, 2));

function batch(counts: Partial<BatchCounts>): BatchRecord {
  return {
    id: "0198c5a0-0000-7000-8000-000000000000",
    tenant: "acme",
    owner: "ann",
    name: "January",
    counts: { ...emptyCounts(), ...counts },
    version: 1,
    createdAt: CREATED,
    updatedAt: CREATED,
  };
}

describe("the aggregate", () => {
  test.each([
    [{ PENDING: 4 }, "pending", 0, "Batch created and queued for processing"],
    [{ PENDING: 3, PROCESSING: 1 }, "running", 0, "Processing batch..."],
    [{ PENDING: 3, DELIVERED: 1 }, "running", 25, "Processing batch..."],
    [{ PENDING: 1, ABORTED: 2 }, "running", 66, "Processing batch..."],
    [{ PROCESSING: 1, DELIVERED: 199 }, "running", 99, "Processing batch..."],
    [
      { DELIVERED: 2, BLOCKED: 1, ABORTED: 1 },
      "completed",
      100,
      "Batch completed: 2 delivered, 1 blocked, 1 aborted",
    ],
    [{ ABORTED: 3 }, "failed", 100, "Batch failed: every job was aborted"],
  ] as const)("of %o is %s at %i percent", (counts, status, progress, message) => {
    expect(aggregateOf(batch(counts))).toMatchObject({ status, progress, message });
  });

  test("counts what is settled as completed, and carries version and time", () => {
    const record = { ...batch({ PENDING: 1, DELIVERED: 2, BLOCKED: 3, ABORTED: 4 }), version: 9 };
    expect(aggregateOf(record)).toEqual({
      batchId: record.id,
      version: 9,
      total: 10,
      completed: 9,
      delivered: 2,
      blocked: 3,
      aborted: 4,
      progress: 90,
      status: "running",
      message: "Processing batch...",
      at: CREATED,
    });
  });

  test("of any counts fits its schema, and is settled exactly when every job is", () => {
    const count = fc.nat({ max: 10_000 });
    const counts = fc
      .record({
        PENDING: count,
        PROCESSING: count,
        DELIVERED: count,
        BLOCKED: count,
        ABORTED: count,
      })
      .filter((each) => Object.values(each).some((jobs) => jobs > 0));
    fc.assert(
      fc.property(counts, (each) => {
        const aggregate = BatchAggregateSchema.parse(aggregateOf(batch(each)));
        const unsettled = each.PENDING + each.PROCESSING;
        expect(isBatchSettled(aggregate)).toBe(unsettled === 0);
        expect(aggregate.progress === 100).toBe(unsettled === 0);
      }),
    );
  });

  test("a batch is its aggregate with name, owner and creation", () => {
    const record = batch({ PENDING: 1 });
    expect(BatchSchema.parse(batchOf(record))).toEqual({
      id: record.id,
      name: "January",
      tenant: record.tenant,
      owner: record.owner,
      createdAt: CREATED,
      ...aggregateOf(record),
    });
  });
});

describe("recount", () => {
  test("moves one job from one status to another, and counts the version up", () => {
    const before = batch({ PENDING: 2, PROCESSING: 1 });
    expect(recount(before, "PROCESSING", "DELIVERED", LATER)).toEqual({
      ...before,
      counts: { ...emptyCounts(), PENDING: 2, DELIVERED: 1 },
      version: 2,
      updatedAt: LATER,
    });
    expect(before.counts.DELIVERED).toBe(0);
  });

  test("is the same batch where the status stays", () => {
    const before = batch({ PROCESSING: 1 });
    expect(recount(before, "PROCESSING", "PROCESSING", LATER)).toBe(before);
  });

  test("whatever becomes of the jobs, the counts are what counting them anew gives", () => {
    const status = fc.constantFrom(...JOB_STATUSES);
    const moves = fc.array(fc.tuple(fc.nat({ max: 9 }), status), { maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), moves, (size, steps) => {
        const jobs: JobStatus[] = Array.from({ length: size }, () => "PENDING");
        let record = batch({ PENDING: size });
        let changes = 0;
        for (const [pick, to] of steps) {
          const index = pick % size;
          const from = jobs[index] ?? "PENDING";
          if (from !== to) changes += 1;
          jobs[index] = to;
          record = recount(record, from, to, LATER);
        }
        const counted = emptyCounts();
        for (const each of jobs) counted[each] += 1;
        expect(record.counts).toEqual(counted);
        expect(record.version).toBe(1 + changes);
        expect(aggregateOf(record).total).toBe(size);
        expect(aggregateOf(record).completed).toBe(jobs.filter(isSettled).length);
      }),
    );
  });
});
