import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineKind, Failure, Transient } from "#server/kinds/define.ts";
import { backoffOf, type PolicyFields } from "#server/kinds/policies.ts";
import { AppError } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";
import type { Backoff } from "#shared/kind-policies.ts";
import { createdJob } from "#shared/lifecycle.ts";
import { afterCrash, afterError, retryPolicyOf } from "./retry.ts";

const HOUR_MS = 3_600_000;
const now = new Date(1_750_000_000_000);
const fresh = { id: "j", kind: "k", title: "t", tenant: "t", owner: "o", input: 1, batchId: null };

function jobAfter(retries: number): JobSummary {
  return { ...createdJob(fresh, now).job, status: "PROCESSING", retries };
}
const policy = (random: number, maxAttempts = 3) => ({ maxAttempts, random: () => random });

function waitOf(error: unknown, retries: number, random = 0): number | undefined {
  const change = afterError(error, jobAfter(retries), policy(random, 100));
  return change.action === "release" ? change.delayMs : undefined;
}

test("[J7] the backoff doubles up to a minute, and half of it is jitter", () => {
  const error = new Transient("BUSY", "busy");
  expect([0, 1, 2, 3, 4, 5, 6, 50].map((retries) => waitOf(error, retries))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
  ]);
  expect(waitOf(error, 0, 0.999)).toBe(1000);
  expect(waitOf(error, 50, 0.999)).toBe(59_970);
});

test("[J7] a retry never comes before the time that was asked for, nor before the backoff", () => {
  const asked = fc.oneof(fc.integer({ min: -10, max: 2 * HOUR_MS }), fc.double());
  const holds = fc.property(
    asked,
    fc.nat(98),
    fc.double({ min: 0, max: 0.99, noNaN: true }),
    (ms, retries, x) => {
      const wait = waitOf(new Transient("BUSY", "busy", { retryAfterMs: ms }), retries, x);
      if (wait === undefined) return ms > HOUR_MS;
      return wait >= 500 && wait <= HOUR_MS && !(wait < ms);
    },
  );
  // Parts of a millisecond count.
  expect(() => fc.assert(holds, { examples: [[30_000.000000000004, 0, 0]] })).not.toThrow();
});

test("[J7] a requested pause of more than an hour ends the job", () => {
  const error = new Transient("QUOTA", "come back tomorrow", { retryAfterMs: HOUR_MS + 1 });
  expect(afterError(error, jobAfter(0), policy(0))).toEqual({
    action: "fail",
    error: { code: "QUOTA", message: "come back tomorrow" },
  });
});

test("[J6] [J7] a job is started as often as it may, and not once more", () => {
  for (const maxAttempts of [1, 2, 5]) {
    for (const after of [
      (retries: number) => afterCrash(jobAfter(retries), policy(0, maxAttempts)),
      (retries: number) =>
        afterError(new Transient("BUSY", "busy"), jobAfter(retries), policy(0, maxAttempts)),
    ]) {
      let starts = 1;
      let retries = 0;
      while (after(retries).action === "release") {
        starts += 1;
        retries += 1;
      }
      expect(starts).toBe(maxAttempts);
    }
  }
});

test("a crash is no reason to wait", () => {
  expect(afterCrash(jobAfter(0), policy(0))).toMatchObject({
    action: "release",
    delayMs: 0,
    counts: true,
  });
  expect(afterCrash(jobAfter(2), policy(0))).toMatchObject({
    action: "fail",
    error: { code: "CRASHED" },
  });
});

test("[J7] only transient errors are retried", () => {
  expect(waitOf(new AppError("UNAVAILABLE", "full"), 0)).toBe(500);
  for (const error of [
    new Failure("NO", "no"),
    new Error("bug"),
    new AppError("BAD_REQUEST", "x"),
    "text",
    null,
  ]) {
    expect(waitOf(error, 0)).toBeUndefined();
  }
});

const kind = (policies: PolicyFields) =>
  defineKind({
    ...policies,
    name: "mail",
    input: z.unknown(),
    output: z.unknown(),
    run: async () => null,
  });
const backoff = (fields: Partial<Backoff>) => ({ retry: { backoff: fields } });

test("[E10] a kind says how often its jobs start, and how long they wait", () => {
  const waits = (policies: PolicyFields, random = 0) => {
    const own = retryPolicyOf(jobAfter(0), kind(policies), policy(random, 100));
    return [0, 1, 2, 3, 2000].map((retries) => {
      const change = afterError(new Transient("BUSY", "busy"), jobAfter(retries), {
        ...own,
        maxAttempts: 9999,
      });
      return change.action === "release" ? change.delayMs : undefined;
    });
  };
  expect(waits(backoff({ jitter: 0 }))).toEqual([1000, 2000, 4000, 8000, 60_000]);
  expect(waits(backoff({ jitter: 1 }))).toEqual([0, 0, 0, 0, 0]);
  expect(waits(backoff({ jitter: 1 }), 0.5)).toEqual([500, 1000, 2000, 4000, 30_000]);
  expect(waits(backoff({ firstMs: 0, factor: 100 }))).toEqual([0, 0, 0, 0, 0]);
  expect(waits(backoff({ firstMs: 5, factor: 1, maxMs: 5, jitter: 0 }))).toEqual([5, 5, 5, 5, 5]);
  expect(waits(backoff({ firstMs: 90_000, jitter: 0 }))[1]).toBe(90_000);
  const most = (policies: PolicyFields | undefined) =>
    retryPolicyOf(jobAfter(0), policies && kind(policies), policy(0, 7)).maxAttempts;
  expect([undefined, {}, { retry: {} }, { retry: { maxAttempts: 1 } }].map(most)).toEqual([
    7, 7, 7, 1,
  ]);
  expect(
    afterCrash(
      jobAfter(0),
      retryPolicyOf(jobAfter(0), kind({ retry: { maxAttempts: 1 } }), policy(0)),
    ),
  ).toMatchObject({ action: "fail", error: { code: "CRASHED" } });
});

test("what was said when a job was created comes before what its kind and the server say", () => {
  const strict = kind({ retry: { maxAttempts: 1 } });
  const most = (maxAttempts: number | null) =>
    retryPolicyOf({ ...jobAfter(0), maxAttempts }, strict, policy(0, 7)).maxAttempts;
  expect([5, null].map(most)).toEqual([5, 1]);
});

test("[E10] a kind's backoff does not make a server that cannot store hurry", () => {
  const kind = { retry: { backoff: { firstMs: 0 } } };
  const full = new AppError("UNAVAILABLE", "The disk is full.");
  expect(afterError(full, jobAfter(0), { ...policy(0), backoff: backoffOf(kind) })).toMatchObject({
    delayMs: 500,
  });
});
