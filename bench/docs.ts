/** Writes the results of a full run into the documentation: the tables, between two markers, and the charts. */
import { readFileSync, writeFileSync } from "node:fs";
import { chartOf, fairnessChartOf } from "./chart.ts";
import { isMet, type Report, tableOf } from "./report.ts";

export interface Results {
  machine: string;
  quick: boolean;
  at: Date;
  reports: Report[];
}

const PAGE = new URL("../docs/benchmarks.md", import.meta.url);
const CHART = new URL("../docs/bench-delivery.svg", import.meta.url);
const FAIRNESS = new URL("../docs/bench-fairness.svg", import.meta.url);
const BEGIN = "<!-- results -->";
const END = "<!-- end of results -->";

export function writeDocs(results: Results): void {
  const page = readFileSync(PAGE, "utf8");
  const [before] = page.split(BEGIN);
  const [, after] = page.split(END);
  if (after === undefined) throw new Error(`docs/benchmarks.md has no ${BEGIN} … ${END}.`);
  const tables = results.reports.map((report) => tableOf(report, true)).join("\n");
  const found = `${at(results)}\n\n${summaryOf(results.reports)}\n\n${tables}`;
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${found}\n${END}${after}`);
  writeFileSync(CHART, chartOf(results.reports));
  const fairness = results.reports.find(({ scenario }) => scenario === "fairness");
  if (fairness !== undefined) writeFileSync(FAIRNESS, fairnessChartOf(fairness));
}

function at({ machine, at: when }: Results): string {
  return `On ${when.toISOString().slice(0, 10)}: ${machine}.`;
}

export function summaryOf(reports: readonly Report[]): string {
  const goals = reports.flatMap((report) => report.goals);
  return `${goals.filter(isMet).length} of ${goals.length} numbers are met.`;
}
