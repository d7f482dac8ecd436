import { expect, test } from "vitest";
import { declarationOf } from "./paths.ts";
import { reachOf } from "./reach.ts";

const FILES: Record<string, string> = {
  "a.js":
    'import "./b.js"; import "node:fs"; import pkg from "./package.json" with { type: "json" };',
  "b.js": 'import { x } from "@trpc/server/http"; new URL("./thread.js", import.meta.url);',
  "thread.js": 'await import("ws");',
  "a.d.ts": 'import type { z } from "zod"; export * from "./c.js";',
  "c.d.ts": "",
};
const read = (file: string) => {
  const text = FILES[file];
  if (text === undefined) throw new Error(`${file} is missing`);
  return text;
};

test("modules reach other modules, programs of threads and packages", () => {
  const { files, packages } = reachOf(["a.js"], read);
  expect([...files]).toEqual(["a.js", "b.js", "package.json", "thread.js"]);
  expect([...packages].toSorted()).toEqual(["@trpc/server", "ws"]);
});

test("declarations reach declarations", () => {
  const { files, packages } = reachOf(["a.ts"], read, declarationOf);
  expect([...files]).toEqual(["a.d.ts", "c.d.ts"]);
  expect([...packages]).toEqual(["zod"]);
});
