/** Chooses the files of each vitest project by what they import, so that no list of them can be forgotten. */
import { globSync } from "node:fs";
import { createImportGraph } from "./import-graph.ts";

/** Opens the engine that the project is for. */
const ENGINE_DATA = "test/engine/data.fixture.ts";
/** Gives larger numbers to a long run. */
const LONG_RUN = "test/long-run.ts";
const ONLY_LONG = /\.long\.test\.tsx?$/;

export interface Selection {
  /** Those for `npm run test:long`: files that do more then, and those that are only for it. */
  isLong: boolean;
  /** Those that open an engine, and prove nothing new where they do not. */
  onEngine?: boolean;
}

/** Paths relative to `root`, the folder of `package.json`, with slashes. */
export function findTestFiles(
  root: string,
  patterns: readonly string[],
  { isLong, onEngine = false }: Selection,
): string[] {
  const graph = createImportGraph(root);
  return globSync(patterns, { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => {
      if (onEngine && !graph.reaches(file, ENGINE_DATA)) return false;
      const isOnlyLong = ONLY_LONG.test(file);
      return isLong ? isOnlyLong || graph.reaches(file, LONG_RUN) : !isOnlyLong;
    })
    .toSorted();
}
