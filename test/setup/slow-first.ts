/**
 * Runs files that start processes first: they take longest, and a single one at the end would leave the other workers idle.
 * The remaining files keep vitest's order.
 */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { createImportGraph, type ImportGraph } from "./import-graph.ts";

const STARTS_REDIS = "test/redis/server.fixture.ts";

/** `file` is relative to the root, with slashes. */
export function startsProcesses(file: string, graph: ImportGraph): boolean {
  return file.startsWith("e2e/") || graph.reaches(file, STARTS_REDIS);
}

export class SlowFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const graph = createImportGraph(root);
    const isSlow = ({ moduleId }: TestSpecification) =>
      startsProcesses(relative(root, moduleId).replaceAll("\\", "/"), graph);
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which gives a new array
    const sorted = await super.sort(specifications);
    return [...sorted.filter(isSlow), ...sorted.filter((each) => !isSlow(each))];
  }
}
