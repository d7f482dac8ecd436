import { expect, test } from "vitest";
import { checkRules } from "./check-rules.ts";

const spec = "| **S1** order | … |\n| **S2** no gap | … |\n";

test("a rule without a test and a test without a rule are both reported", () => {
  const tests = ['test("[S1] [X9] events come in order", () => {})'];
  expect(checkRules(spec, tests)).toEqual({
    rules: ["S1", "S2"],
    unproved: ["S2"],
    unknown: ["X9"],
    doubled: [],
  });
});

test("two rules with one number are reported", () => {
  const twice = `${spec}| **S1** order once more | … |\n`;
  expect(checkRules(twice, ['test("[S1] [S2] holds")'])).toMatchObject({ doubled: ["S1"] });
});

test("titles of test tables, suites and multi-line calls count, other texts do not", () => {
  const tests = [
    'test.each([1])(\n  "[S1] holds", () => {})',
    "describe('[S2]', () => {})",
    'const text = "[S3]"',
  ];
  expect(checkRules(spec, tests)).toMatchObject({ unproved: [], unknown: [] });
});
