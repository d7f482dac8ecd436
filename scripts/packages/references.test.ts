import { expect, test } from "vitest";
import { referencesIn } from "./references.ts";

const found = (source: string, file = "a.ts") =>
  referencesIn(file, source).map(({ by, specifier }) => `${by} ${specifier}`);

test.each([
  { source: 'import a from "./a.ts";', reference: "module ./a.ts" },
  { source: 'import type { A } from "#shared/a.ts";', reference: "module #shared/a.ts" },
  { source: 'import "./a.ts";', reference: "module ./a.ts" },
  {
    source: 'import pkg from "#package.json" with { type: "json" };',
    reference: "module #package.json",
  },
  { source: 'export { a } from "zod";', reference: "module zod" },
  { source: 'export * from "./a.ts";', reference: "module ./a.ts" },
  { source: 'type A = import("./a.ts").A;', reference: "module ./a.ts" },
  { source: 'const a = async () => (await import("./a.ts")).b;', reference: "module ./a.ts" },
  { source: 'f(new URL("./thread.ts", import.meta.url));', reference: "url ./thread.ts" },
  { source: "new URL(`scripts/${name}.lua`, import.meta.url);", reference: "url scripts/" },
])("a reference is found in $source", ({ source, reference }) => {
  expect(found(source)).toEqual([reference]);
});

test.each([
  "const text = 'import a from \"./a.ts\"';",
  '// import a from "./a.ts"',
  "export const a = 1;",
  'new URL("/path", request.url);',
  "new URL(program, import.meta.url);",
  "await import(pathToFileURL(file).href);",
])("none is found in %s", (source) => {
  expect(found(source)).toEqual([]);
});

test("the place of a reference is that of its text without the quotes", () => {
  const source = 'export * from "./a.ts"; // ä 🎉\nexport * from "./b.ts";';
  const texts = referencesIn("a.ts", source).map(({ start, end }) => source.slice(start, end));
  expect(texts).toEqual(["./a.ts", "./b.ts"]);
});

test("a declaration file and JSX can be read", () => {
  expect(found('export declare const a: import("./a.js").A;', "b.d.ts")).toEqual(["module ./a.js"]);
  expect(found('import "react"; export const a = <p>from "x"</p>;', "b.tsx")).toEqual([
    "module react",
  ]);
});

test("a source with a fault is refused", () => {
  expect(() => found("const = 1;")).toThrow("a.ts cannot be parsed");
});
