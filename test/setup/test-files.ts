/** Chooses the files of each vitest project by their imports, so that there is no list to maintain. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createImportGraph } from "./import-graph.ts";

/** The module that opens the project's engine. */
const ENGINE_DATA = "test/engine/data.fixture.ts";
/** The module with the larger numbers of the long run. */
const LONG_RUN = "test/long-run.ts";
const ONLY_LONG = /\.long\.test\.tsx?$/;
/** Uses of what belongs to the whole process: its clock, modules, globals, memory. */
const OF_PROCESS =
  /\bvi\.(?:useFakeTimers|mock|doMock|stubGlobal|stubEnv)\(|\bprocess\.(?:memoryUsage|cpuUsage|chdir)\b|\blistenerCount\(/;

export interface Selection {
  /** Selects files for `npm run test:long`: those that do more in it, and those for it only. */
  isLong: boolean;
  /** Selects only files that open an engine; others would prove nothing new. */
  onEngine?: boolean;
  /**
   * `true` selects only files that need a process of their own, `false` the others: they share a few processes, because each
   * new one would import the same modules again. Absent: both.
   */
  alone?: boolean;
}

/** Returns paths relative to `root`, the folder of `package.json`, with slashes. */
export function findTestFiles(
  root: string,
  patterns: readonly string[],
  { isLong, onEngine = false, alone }: Selection,
): string[] {
  const graph = createImportGraph(root);
  return globSync(patterns, { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => {
      if (onEngine && !graph.reaches(file, ENGINE_DATA)) return false;
      if (alone !== undefined && needsProcess(join(root, file)) !== alone) return false;
      const isOnlyLong = ONLY_LONG.test(file);
      return isLong ? isOnlyLong || graph.reaches(file, LONG_RUN) : !isOnlyLong;
    })
    .toSorted();
}

function needsProcess(path: string): boolean {
  return OF_PROCESS.test(readFileSync(path, "utf8"));
}
