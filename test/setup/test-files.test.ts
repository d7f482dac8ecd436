import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findTestFiles } from "./test-files.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "jobwire-test-files-"));
  const files = {
    "server/plain.test.ts": 'import "vitest";\n',
    "server/engine.test.tsx": 'import "#test/some.fixture.ts";\n',
    "server/random.test.ts": 'import "#test/long-run.ts";\n',
    "server/random-engine.test.ts":
      'import "#test/some.fixture.ts";\nimport "#test/long-run.ts";\n',
    "server/soak.long.test.ts": 'import "#test/some.fixture.ts";\n',
    "server/clock.test.ts": "vi.useFakeTimers();\n",
    "server/plain.ts": "",
    "test/some.fixture.ts": 'import "./engine/data.fixture.ts";\n',
    "test/engine/data.fixture.ts": "",
    "test/long-run.ts": "",
  };
  for (const [file, source] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), source);
  }
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const found = (selection: Parameters<typeof findTestFiles>[2]) =>
  findTestFiles(root, ["server/**/*.test.{ts,tsx}"], selection);

test("a normal run has all files except those for the long run only", () => {
  expect(found({ isLong: false })).toEqual([
    "server/clock.test.ts",
    "server/engine.test.tsx",
    "server/plain.test.ts",
    "server/random-engine.test.ts",
    "server/random.test.ts",
  ]);
});

test("a project for an engine has the files that open an engine", () => {
  expect(found({ isLong: false, onEngine: true })).toEqual([
    "server/engine.test.tsx",
    "server/random-engine.test.ts",
  ]);
});

test("the long run has the files that do more in it, and those for it only", () => {
  expect(found({ isLong: true })).toEqual([
    "server/random-engine.test.ts",
    "server/random.test.ts",
    "server/soak.long.test.ts",
  ]);
  expect(found({ isLong: true, onEngine: true })).toEqual([
    "server/random-engine.test.ts",
    "server/soak.long.test.ts",
  ]);
});

test("a file that changes its process needs one of its own, and the others share a few", () => {
  expect(found({ isLong: false, alone: true })).toEqual(["server/clock.test.ts"]);
  expect(found({ isLong: false, alone: false })).toEqual([
    "server/engine.test.tsx",
    "server/plain.test.ts",
    "server/random-engine.test.ts",
    "server/random.test.ts",
  ]);
});
