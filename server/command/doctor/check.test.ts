import { expect, test } from "vitest";
import { fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { type Check, runChecks } from "./check.ts";
import { printableFinding, summaryOf, textOf } from "./report.ts";

async function run(checks: readonly Check[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  await runChecks(checks, (finding) => findings.push(finding));
  return findings;
}

test("a check that hangs, throws or rejects is one finding, and the others have theirs, in order", async () => {
  let ended: unknown;
  const findings = await run([
    {
      name: "hangs",
      timeoutMs: 30,
      run: (signal) =>
        new Promise(() => signal.addEventListener("abort", () => (ended = signal.aborted))),
    },
    {
      name: "throws",
      run() {
        throw new Error("at once");
      },
    },
    { name: "rejects", run: () => Promise.reject(new Error("later")) },
    { name: "last", last: true, run: async () => ok("last", "after all others") },
    { name: "two", run: async () => [ok("one", "a"), ok("two", "b")] },
  ]);
  expect(findings.map(({ check, verdict }) => [check, verdict])).toEqual([
    ["hangs", "fail"],
    ["throws", "fail"],
    ["rejects", "fail"],
    ["one", "ok"],
    ["two", "ok"],
    ["last", "ok"],
  ]);
  expect(findings[0]?.found).toContain("no answer within 0.03 s");
  expect(findings[1]?.found).toContain("at once");
  expect(ended).toBe(true);
});

test("a check that blocks the thread begins when the others have ended", async () => {
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const running = run([
    {
      name: "last",
      last: true,
      run: async () => (order.push("last"), ok("last", "")),
    },
    { name: "slow", run: async () => (await first.promise, order.push("slow"), ok("slow", "")) },
  ]);
  first.resolve();
  await running;
  expect(order).toEqual(["slow", "last"]);
});

test("a finding is a line, what to do is another, and what servers answer cannot steer the terminal", () => {
  const advice = ["Do this.", "docs/tls.md#renewal"] as const;
  expect(textOf(warn("tls", "a\u001b[2J\r\nok    all: well\u202e", advice))).toBe(
    "warn  tls: a [2J ok    all: well \n      Do this. See docs/tls.md#renewal.\n",
  );
  const hostile = printableFinding(
    warn("tls\u009b", "\u009b2J", ["\u202e", "docs/tls.md#renewal"]),
  );
  expect(JSON.stringify(hostile)).not.toMatch(/[\u0080-\u009f\u202e]/);
  expect(textOf(fail("tls", "x".repeat(10_000), ["", "docs/tls.md#renewal"]))).toHaveLength(
    "fail  tls: \n      See docs/tls.md#renewal.\n".length + 500,
  );
});

test("the summary counts", () => {
  const advice = ["", "docs/tls.md#renewal"] as const;
  expect(summaryOf([ok("a", ""), ok("b", "")])).toBe("2 ok.\n");
  expect(
    summaryOf([ok("a", ""), warn("b", "", advice), fail("c", "", advice), skip("d", "")]),
  ).toBe("1 ok, 1 warning, 1 failure, 1 not checked.\n");
});
