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

const byLetter = (file: string) => file.charCodeAt(0);
const byNumber = (file: string) => Number(file[1]);

test("files are sorted by the first rank that differs, and else stay in their order", () => {
  expect(inRanks(["b2", "a1", "b1-second", "b1", "a0"], byLetter, byNumber)).toEqual([
    "a0",
    "a1",
    "b1-second",
    "b1",
    "b2",
  ]);
});
