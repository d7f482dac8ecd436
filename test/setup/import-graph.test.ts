import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createImportGraph } from "./import-graph.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "jobwire-imports-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(files: Record<string, string>) {
  for (const [file, source] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), source);
  }
  return createImportGraph(root);
}

test("a file reaches its imports of every form, directly and through other files", async () => {
  const graph = await write({
    "server/a.test.ts": 'import {\n  type X,\n  b,\n} from "./b.ts";\nimport "vitest";\n',
    "server/b.ts": 'export { c } from "#test/c.tsx";\n',
    "test/c.tsx": 'import "./deep/d.ts";\n',
    "test/deep/d.ts": 'const e = await import("./e.ts");\n',
  });
  const targets = ["server/a.test.ts", "server/b.ts", "test/c.tsx", "test/deep/e.ts"];
  expect(targets.filter((target) => !graph.reaches("server/a.test.ts", target))).toEqual([]);
});

test("a file does not reach type-only imports, its importers, and imports of unrelated files", async () => {
  const graph = await write({
    "a.ts": 'import type {\n  X,\n} from "./types.ts";\nexport type { Y } from "./types.ts";\n',
    "b.ts": 'import "./a.ts";\nimport "./other.ts";\n',
  });
  const targets = ["types.ts", "b.ts", "other.ts"];
  expect(targets.filter((target) => graph.reaches("a.ts", target))).toEqual([]);
});

test("the search ends at import cycles and at files that do not exist", async () => {
  const graph = await write({
    "a.ts": 'import "./b.ts";\n',
    "b.ts": 'import "./a.ts";\nimport "./missing.ts";\nimport "./data.json";\n',
  });
  expect(graph.reaches("a.ts", "missing.ts")).toBe(true);
  expect(graph.reaches("b.ts", "none.ts")).toBe(false);
});
