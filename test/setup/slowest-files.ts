/** Prints the slowest files at the end of a run. */
import type { Reporter, TestModule } from "vitest/node";

const SHOWN = 20;

export interface FileTime {
  readonly project: string;
  readonly file: string;
  readonly ms: number;
}

/** Returns a line for each file, the slowest first. */
export function slowestFiles(times: readonly FileTime[], count: number): string[] {
  return times
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, count)
    .map(({ project, file, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${project}  ${file}`);
}

/** Includes the time of imports. */
function timeOf(module: TestModule): FileTime {
  const { duration, collectDuration, prepareDuration, setupDuration } = module.diagnostic();
  return {
    project: module.project.name,
    file: module.relativeModuleId,
    ms: duration + collectDuration + prepareDuration + setupDuration,
  };
}

export function reportSlowestFiles(): Reporter {
  return {
    onTestRunEnd(modules) {
      const lines = slowestFiles(modules.map(timeOf), SHOWN);
      process.stdout.write(`\n The slowest files:\n${lines.join("\n")}\n`);
    },
  };
}
