import { expect, test } from "vitest";
import { slowestFiles } from "./slowest-files.ts";

test("the list has the requested number of files with their projects, slowest first", () => {
  const times = [
    { project: "unit", file: "a.test.ts", ms: 1200 },
    { project: "redis", file: "a.test.ts", ms: 112_345 },
    { project: "e2e", file: "b.test.ts", ms: 40 },
  ];
  expect(slowestFiles(times, 2)).toEqual([
    "  112.3 s  redis  a.test.ts",
    "    1.2 s  unit  a.test.ts",
  ]);
  expect(slowestFiles([], 20)).toEqual([]);
});
