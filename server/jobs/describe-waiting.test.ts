import { expect, test } from "vitest";
import { MAX_COUNTED_AHEAD } from "#server/engine/kind-limits.ts";
import type { Waiting } from "#server/engine/contract.ts";
import type { LimitsOfKind } from "#shared/kind-policies.ts";
import { durationOf, MOST_AHEAD } from "#shared/waiting.ts";
import { describeWaiting } from "./describe-waiting.ts";

const READY: Waiting = {
  key: "42",
  startsInMs: null,
  ahead: 0,
  running: { kind: 0, key: null },
  rateInMs: { kind: 0, key: null },
};
const BOTH: LimitsOfKind = { concurrency: 5, perKey: { concurrency: 2 } };
const queued = (ahead: number, message: string) => ({ reason: "queued", ahead, message });

test.each([
  [{}, "All jobs are paused"],
  [{ tenant: "acme" }, "The jobs of its tenant are paused"],
  [{ kind: "mail" }, "The jobs of its kind are paused"],
  [{ tenant: "acme", kind: "mail" }, "The jobs of its kind and tenant are paused"],
])("[O8] a job that waits for the end of the pause of %o says so", (scope, message) => {
  const full = { ...READY, ahead: 2, running: { kind: 5, key: 2 } };
  expect(describeWaiting(full, BOTH, scope)).toEqual(queued(2, message));
  expect(describeWaiting({ ...full, startsInMs: 1000 }, BOTH, scope).reason).toBe("delayed");
});

test.each<[Partial<Waiting>, LimitsOfKind | undefined, unknown]>([
  [{}, undefined, queued(0, "It starts when a worker is free")],
  [{ ahead: 1 }, undefined, queued(1, "1 job is before it")],
  [{ ahead: 3 }, BOTH, queued(3, "3 jobs are before it")],
  [{ ahead: 1000 }, undefined, queued(1000, "1,000 or more jobs are before it")],
  // Without limits, numbers of others are no reason.
  [{ running: { kind: 99, key: 9 } }, undefined, queued(0, "It starts when a worker is free")],
  [{ running: { kind: 4, key: 1 } }, BOTH, queued(0, "It starts when a worker is free")],
  [
    { startsInMs: 89_001, running: { kind: 9, key: 9 } },
    BOTH,
    { reason: "delayed", startsInMs: 89_001, ahead: 0, message: "It starts in 90 s" },
  ],
  [
    { running: { kind: 5, key: 2 }, ahead: 1 },
    BOTH,
    {
      reason: "concurrency",
      of: "kind",
      limit: 5,
      ahead: 1,
      message: "5 of its kind may run at a time, and do, and 1 job is before it",
    },
  ],
  [
    { running: { kind: 2, key: 2 } },
    BOTH,
    {
      reason: "concurrency",
      of: "key",
      key: "42",
      limit: 2,
      ahead: 0,
      message: "It waits for 2 others of its key",
    },
  ],
  [
    { running: { kind: 1, key: 1 }, ahead: 2 },
    { perKey: { concurrency: 1 } },
    {
      reason: "concurrency",
      of: "key",
      key: "42",
      limit: 1,
      ahead: 2,
      message: "It waits for another job of its key, and 2 jobs are before it",
    },
  ],
  // A job without a key.
  [
    { key: null, running: { kind: 9, key: null } },
    { perKey: { concurrency: 1 } },
    queued(0, expect.anything()),
  ],
  [
    { rateInMs: { kind: 10, key: 2500 } },
    {},
    {
      reason: "rate",
      of: "key",
      key: "42",
      startsInMs: 2500,
      ahead: 0,
      message: "The next one of its key may start in 3 s",
    },
  ],
  [
    { rateInMs: { kind: 2500, key: 2500 }, ahead: 1 },
    {},
    {
      reason: "rate",
      of: "kind",
      startsInMs: 2500,
      ahead: 1,
      message: "The next one of its kind may start in 3 s, and 1 job is before it",
    },
  ],
])("[Q8] %j with the limits %j has one reason, in words for people", (waiting, limits, told) => {
  expect(describeWaiting({ ...READY, ...waiting }, limits)).toEqual(told);
});

test("times to wait are rounded up", () => {
  const given = [0, 1, 1001, 119_000, 119_001, 7_140_001, 48 * 3_600_000];
  expect(given.map(durationOf)).toEqual(["1 s", "1 s", "2 s", "119 s", "2 min", "2 h", "2 days"]);
});

test("words say that there are more from where engines stop counting", () => {
  expect(MOST_AHEAD).toBe(MAX_COUNTED_AHEAD);
});

const NAMED: LimitsOfKind = { perKey: { concurrency: 1, keyName: "customer" } };

test.each([
  ["42", "customer 42"],
  ["", 'customer ""'],
  ["a\r\nb\u202e\u2028c", "customer a\uFFFD\uFFFDb\uFFFD\uFFFDc"],
  ["x".repeat(200), `customer ${"x".repeat(59)}…`],
])("[Q8] where a kind names its key, %j is in the sentence", (key, words) => {
  const full = { ...READY, key, running: { kind: 2, key: 2 } };
  expect(describeWaiting(full, NAMED)).toEqual({
    reason: "concurrency",
    of: "key",
    key,
    keyName: "customer",
    limit: 1,
    ahead: 0,
    message: `It waits for 2 others of ${words}`,
  });
  const rated = { ...READY, key, rateInMs: { kind: 0, key: 5000 } };
  expect(describeWaiting(rated, NAMED)).toMatchObject({
    key,
    keyName: "customer",
    message: `The next one of ${words} may start in 5 s`,
  });
});
