import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chartOf } from "./chart.ts";
import { NOT_INSTALLED, type Report } from "./report.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const RUN = fileURLToPath(new URL("run.ts", import.meta.url));
const run = (...args: string[]) => promisify(execFile)(process.execPath, [RUN, ...args]);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

test("a quick run of the bench measures every scenario, prints it, and keeps it as JSON", async () => {
  const json = join(dir, "results.json");
  const { stdout } = await run("--quick", "--json", json);

  const { reports } = JSON.parse(await readFile(json, "utf8")) as { reports: Report[] };
  expect(reports.map(({ scenario }) => scenario)).toEqual(SCENARIOS.map(({ name }) => name));
  for (const { title, rows } of reports) {
    expect(stdout).toContain(title);
    expect(rows.some(({ figures }) => figures !== undefined)).toBe(true);
    for (const { who, figures } of rows) {
      // The name begins the line that says what was found, or that there is nothing to be found.
      expect(stdout).toMatch(
        new RegExp(`\\| ${RegExp.escape(who)} .*(${figures ? "\\d" : NOT_INSTALLED})`),
      );
      // JSON has `null` for what is no number.
      for (const figure of Object.values(figures ?? {})) expect(figure).toEqual(expect.any(Number));
    }
  }
  for (const { figure } of reports.flatMap(({ goals }) => goals)) {
    expect(figure).toEqual(expect.any(Number));
  }
  const chart = chartOf(reports);
  expect(chart).toContain("Jobwire, tRPC");
  expect(chart.match(/<rect/g)).toHaveLength(chart.match(/class="figure"/g)?.length ?? 0);
});

test("a scenario that does not exist is answered with those that do", async () => {
  await expect(run("--quick", "--only", "nothing")).rejects.toThrow(
    /There is no scenario "nothing". There are: trpc-delivery/,
  );
});
