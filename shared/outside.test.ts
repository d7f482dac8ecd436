import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventOf } from "./events.ts";
import { comparePositions, isDecidedHere, isOutside, positionOf } from "./outside.ts";

describe("positions", () => {
  test("[X2] are ordered by time, then by number, then by step, however many digits they have", () => {
    const part = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const step = fc.nat(999);
    const position = fc.tuple(part, part, step);
    fc.assert(
      fc.property(position, position, (one, other) => {
        const [first, second] = [one, other].map(([ms, n, of]) => `${ms}-${n}.${of}`) as [
          string,
          string,
        ];
        const differing = one.findIndex((digits, index) => digits !== other[index]);
        const expected =
          differing === -1 ? 0 : (one[differing] ?? 0) < (other[differing] ?? 0) ? -1 : 1;
        expect(comparePositions(first, second)).toBe(expected);
      }),
    );
  });

  test("without a step come before the steps of their event", () => {
    expect(comparePositions("5-1", "5-1.1")).toBe(-1);
    expect(comparePositions("5-1", "5-1.0")).toBe(0);
    expect(comparePositions("05-1.3", "5-01.03")).toBe(0);
  });

  test.each(["", "5", "5-", "-1", "5-1.", "5-1.1.1", " 5-1", "x-1", `${"9".repeat(21)}-0`])(
    "%j is none",
    (text) => {
      expect(() => comparePositions(text, "1-1")).toThrow(TypeError);
    },
  );

  test.each([undefined, null, 7, [], {}, { position: 7 }])("details %j have none", (details) => {
    expect(positionOf(details)).toBeUndefined();
  });
});

function gapOf(details: unknown): true | undefined {
  const seq = { jobId: "1", seq: 2, at: new Date(0), attempt: 1 };
  return eventOf("started", { ...seq, progress: 0, message: "", details, actor: undefined }).gap;
}

test("[X3] an event is marked as a gap by the details of a mirrored job, and by no others", () => {
  expect(gapOf({ position: "1-0.3", gap: true })).toBe(true);
  expect(gapOf({ position: "1-0.3" })).toBeUndefined();
  expect(gapOf({ gap: true })).toBeUndefined();
  expect(gapOf({ position: "last", gap: true })).toBeUndefined();
});

test("[X5] a mirrored job is decided about where its mirror passes that on", () => {
  expect(isOutside("bullmq:mail")).toBe(true);
  expect(isOutside("mail")).toBe(false);
  expect(isDecidedHere({ kind: "mail" })).toBe(true);
  expect(isDecidedHere({ kind: "bullmq:mail", details: { position: "1-0" } })).toBe(false);
  expect(isDecidedHere({ kind: "bullmq:mail", details: { control: true } })).toBe(true);
});
