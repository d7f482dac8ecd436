/** Findings of `jobwire doctor` name sections of the documentation, which people look up at night. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { anchorsOf } from "./anchors.ts";

const SECTION = /"(docs\/[\w-]+\.md)#([\w-]+)"/g;
const FILES = globSync("server/{command/doctor,engine}/**/*.ts").filter(
  (file) => !file.endsWith(".test.ts"),
);

test("every section that a finding names exists", () => {
  const named = FILES.flatMap((file) => [...readFileSync(file, "utf8").matchAll(SECTION)]);
  expect(named.length).toBeGreaterThan(40);
  const missing = named
    .filter(([, page = "", anchor = ""]) => !anchorsOf(readFileSync(page, "utf8")).has(anchor))
    .map(([section]) => section);
  expect([...new Set(missing)]).toEqual([]);
});
