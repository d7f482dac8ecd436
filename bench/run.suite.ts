/** A quick run of scenarios, as a person starts it. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { NOT_INSTALLED, type Report } from "./report.ts";

const RUN = fileURLToPath(new URL("run.ts", import.meta.url));

export const runBench = (...args: string[]) =>
  promisify(execFile)(process.execPath, [RUN, ...args]);

/** Runs these scenarios, and checks that each is measured, printed, and kept as JSON. Resolves to what was kept. */
export async function checkQuickRun(names: readonly string[]): Promise<Report[]> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
  try {
    const json = join(dir, "results.json");
    const only = names.flatMap((name) => ["--only", name]);
    const { stdout } = await runBench("--quick", "--json", json, ...only);
    const { reports } = JSON.parse(await readFile(json, "utf8")) as { reports: Report[] };
    for (const report of reports) checkReport(report, stdout);
    return reports;
  } finally {
    await rm(dir, { recursive: true });
  }
}

function checkReport({ title, rows, goals }: Report, stdout: string): void {
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
  for (const { figure } of goals) expect(figure).toEqual(expect.any(Number));
}
