import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { expressionsIn, slowExpressions, sources } from "./check-expressions.ts";

test("every regular expression of the server takes linear time", async () => {
  const expressions = sources().flatMap((file) => expressionsIn(file, readFileSync(file, "utf8")));
  expect(expressions.length).toBeGreaterThan(50);
  expect(await slowExpressions(expressions)).toEqual([]);
});

test.each([
  String.raw`[\s:.]+$`,
  String.raw`\s+[|–—·»:-]\s+`,
  String.raw`\[(?:insert|your|todo)[^\]]*\]`,
  String.raw`gambl\w* responsibly`,
  String.raw`<meta[^>]+charset\s*=\s*["']?\s*([\w:-]+)`,
  String.raw`(?<=\w)\w*!`,
])("an expression that is slow on some text is found: %s", async (pattern) => {
  const found = await slowExpressions([{ place: "server/x.ts:1", pattern, flags: "i" }]);
  expect(found).toEqual([expect.stringMatching(/^server\/x\.ts:1: .* more than linear time/)]);
});

test.each([String.raw`^\s*(?:<!--[\s\S]*?-->\s*)*<(?:!doctype html|html)\b`, "^(?:a+)+$"])(
  "an expression that takes exponential time is given up after the timeout: %s",
  async (pattern) => {
    const found = await slowExpressions([{ place: "server/x.ts:1", pattern, flags: "i" }], 1000);
    expect(found).toEqual([expect.stringMatching(/^server\/x\.ts:1: .* more than linear time/)]);
  },
);

test.each([
  [String.raw`\s+`, "g"],
  [String.raw`[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*`, "gu"],
  [String.raw`^(?:\d+[.)]|[-–•])\s*`, ""],
  ["a{0,20}b", ""],
])("an expression of linear time passes: %s", async (pattern, flags) => {
  expect(await slowExpressions([{ place: "", pattern, flags }])).toEqual([]);
});

test("an expression that is built at run time is refused, because it cannot be checked", async () => {
  const found = expressionsIn("x.ts", "new RegExp(a + b)");
  expect(await slowExpressions(found)).toEqual([expect.stringContaining("x.ts:1")]);
});

test("literals and constructed expressions are found with their lines", () => {
  const source =
    'const a: string = "/no/";\nexport const b = a.replace(/b[/]+$/giu, `${/c+/.test(a)}`);\nnew RegExp("d+");\n// /no/';
  expect(expressionsIn("x.ts", source)).toEqual([
    { place: "x.ts:2", pattern: "b[/]+$", flags: "giu" },
    { place: "x.ts:2", pattern: "c+", flags: "" },
    { place: "x.ts:3", pattern: "d+", flags: "" },
  ]);
});
