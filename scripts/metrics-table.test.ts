import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type MetricDefinition, METRICS } from "#server/metrics/definitions.ts";
import { tableIn } from "./config-table.ts";
import { metricsTable } from "./metrics-table.ts";

test("docs/metrics.md has the table that `node scripts/metrics-table.ts` prints", () => {
  expect(tableIn(readFileSync("docs/metrics.md", "utf8"), "metrics")).toBe(metricsTable());
});

test("each metric has a name of Prometheus' form, and one sentence about it", () => {
  const definitions: readonly MetricDefinition[] = Object.values(METRICS);
  for (const { name, type, help, buckets = [] } of definitions) {
    expect(name).toMatch(/^jobwire_[a-z][a-z_]*[a-z]$/);
    expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
    expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Z0-9].*\.$/)]);
    expect([name, buckets.length > 0]).toEqual([name, type === "histogram"]);
    expect(buckets).toEqual(buckets.toSorted((one, other) => one - other));
  }
  expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length);
});
