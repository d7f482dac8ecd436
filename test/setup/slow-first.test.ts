import { expect, test } from "vitest";
import { createImportGraph } from "./import-graph.ts";
import { startsProcesses } from "./slow-first.ts";

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
