import { expect, test } from "vitest";
import { sourcesOf } from "./sources.ts";

function reader(files: Record<string, string>) {
  return (file: string) => {
    const text = files[file];
    if (text === undefined) throw new Error(`${file} is missing`);
    return text;
  };
}

test("all modules that an entry reaches come along, and name each other by relative paths", () => {
  const { modules } = sourcesOf(
    ["server/index.ts"],
    reader({
      "server/index.ts":
        'export { a } from "./kinds/define.ts";\nimport type { B } from "#shared/b.ts";\n',
      "server/kinds/define.ts": 'import { z } from "zod";\nimport { b } from "#shared/b.ts";\n',
      "shared/b.ts": 'import pkg from "#package.json" with { type: "json" };\n',
      "server/other.ts": "",
    }),
  );
  expect(Object.fromEntries(modules)).toEqual({
    "server/index.ts":
      'export { a } from "./kinds/define.js";\nimport type { B } from "../shared/b.js";\n',
    "server/kinds/define.ts": 'import { z } from "zod";\nimport { b } from "../../shared/b.js";\n',
    "shared/b.ts": 'import pkg from "../package.json" with { type: "json" };\n',
  });
});

test("programs of threads come along as modules, other files as they are", () => {
  const { modules, assets } = sourcesOf(
    ["server/a.ts"],
    reader({
      "server/a.ts":
        'new URL("thread.ts", import.meta.url); new URL("samples", import.meta.url);\n' +
        'new URL(`sql/${name}.lua`, import.meta.url); new URL("../dist/client", import.meta.url);\n',
      "server/thread.ts": "",
    }),
  );
  expect(modules.get("server/a.ts")).toContain('new URL("./thread.js", import.meta.url)');
  expect([...modules.keys()]).toContain("server/thread.ts");
  expect([...assets]).toEqual(["server/samples", "server/sql/", "dist/client"]);
});

test("a module that is missing is an error", () => {
  const read = reader({ "a.ts": 'import "./b.ts";' });
  expect(() => sourcesOf(["a.ts"], read)).toThrow("b.ts is missing");
});
