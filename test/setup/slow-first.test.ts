import { expect, test } from "vitest";
import { createImportGraph } from "./import-graph.ts";
import { inRanks, startsProcesses } from "./slow-first.ts";

const graph = createImportGraph(process.cwd());

test.each(["e2e/kill9.test.ts", "server/engine/redis/redis.test.ts", "server/migrate.test.ts"])(
  "%s starts processes",
  (file) => {
    expect(startsProcesses(file, graph)).toBe(true);
  },
);

test.each(["server/engine/sqlite/sqlite.test.ts", "shared/utf8.test.ts"])(
  "%s starts none",
  (file) => {
    expect(startsProcesses(file, graph)).toBe(false);
  },
);

test("files are sorted by the first rank that differs, and else stay in their order", () => {
  const files = ["b2", "a1", "b1", "a2", "a0", "b0"];
  const project = (file: string) => (file.startsWith("b") ? 0 : 1);
  const isSlow = (file: string) => (file.endsWith("0") ? 0 : 1);
  expect(inRanks(files, project, isSlow)).toEqual(["b0", "b2", "b1", "a0", "a1", "a2"]);
});
