/**
 * Runs one project after the other, because vitest ends a process that files share as soon as the next file in the queue
 * belongs to another project. Within a project, files that start processes come first: they take longest, and a single one at
 * the end would leave the other workers idle. The remaining files keep vitest's order.
 */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { createImportGraph, type ImportGraph } from "./import-graph.ts";

const STARTS_REDIS = "test/redis/server.fixture.ts";

/** `file` is relative to the root, with slashes. */
export function startsProcesses(file: string, graph: ImportGraph): boolean {
  return file.startsWith("e2e/") || graph.reaches(file, STARTS_REDIS);
}

/** Keeps the order within each rank, lowest first. */
export function inRanks<T>(files: readonly T[], ...ranks: ((file: T) => number)[]): T[] {
  return files.toSorted((a, b) => {
    const rank = ranks.find((each) => each(a) !== each(b));
    return rank === undefined ? 0 : rank(a) - rank(b);
  });
}

export class SlowFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const graph = createImportGraph(root);
    const slow = new Set(
      specifications.filter(({ moduleId }) =>
        startsProcesses(relative(root, moduleId).replaceAll("\\", "/"), graph),
      ),
    );
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of vitest, which gives a new array
    const sorted = await super.sort(specifications);
    const place = ({ project }: TestSpecification) => this.ctx.projects.indexOf(project);
    return inRanks(sorted, place, (each) => (slow.has(each) ? 0 : 1));
  }
}
