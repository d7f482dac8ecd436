import { expect, test } from "vitest";
import { chartOf, fairnessChartOf } from "./chart.ts";
import { checkQuickRun } from "./run.suite.ts";
import { SCENARIOS } from "./scenarios/index.ts";

test("a quick run of the bench measures every scenario, prints it, and keeps it as JSON", async () => {
  const names = SCENARIOS.map(({ name }) => name);
  const reports = await checkQuickRun(names);
  expect([...new Set(reports.map(({ scenario }) => scenario))]).toEqual(names);
  const chart = chartOf(reports);
  expect(chart).toContain("Jobwire, tRPC");
  const waits = reports.find(({ scenario }) => scenario === "fairness");
  expect(waits && fairnessChartOf(waits).match(/<rect/g)?.length).toBeGreaterThanOrEqual(4);
  expect(chart.match(/<rect/g)).toHaveLength(chart.match(/class="figure"/g)?.length ?? 0);
});
