import { expect, test } from "vitest";
import { languageName } from "./labels.ts";

test.each([
  ["sv", "Swedish"],
  ["und", "unknown language"],
  ["xx-!!", "xx-!!"],
  ["", ""],
  ["sv_SE", "sv_SE"],
])("the language %j is shown as %j", (code, name) => {
  expect(languageName(code)).toBe(name);
});
