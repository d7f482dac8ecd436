import { expect, test } from "vitest";
import { jsonOf, numberOf, timeOf } from "./bounded-values.ts";

const notShown = (text: string) => ({ notShown: expect.stringContaining(text) as string });

test.each<[string, unknown]>([
  ['{"a":[1,"b",null]}', { a: [1, "b", null] }],
  ['"\\ud800 half"', "\ufffd half"],
  ['{"\\ud800":1}', notShown("Unicode")],
  ["{", notShown("no JSON")],
  ["", notShown("no JSON")],
  [`${"[".repeat(101)}${"]".repeat(101)}`, notShown("too deeply")],
  [`${"[".repeat(50_000)}${"]".repeat(50_000)}`, notShown("too deeply")],
  [`"${"x".repeat(200_000)}"`, notShown("200,002 bytes; the limit is 150,000 bytes")],
])("[X6] %.20s is shown as it is, or named as not shown", (text, shown) => {
  expect(jsonOf(text, 150_000)).toEqual(shown);
});

test("[X6] a key of JavaScript's is a key like others", () => {
  const value = jsonOf('{"__proto__":{"a":1}}', 100);
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
});

test("[X6] what is no number or no time has none", () => {
  expect(["12", "1e3", "", "x", "Infinity", null, undefined].map(numberOf)).toEqual([
    12,
    1000,
    ...Array.from({ length: 5 }, () => undefined),
  ]);
  const at = new Date(1_000_000_000_000);
  expect(timeOf(5, at)).toEqual(new Date(5));
  for (const ms of [undefined, -1, 8e15, 1e300]) expect(timeOf(ms, at)).toBe(at);
});
