import { expect, test } from "vitest";
import { languageName } from "./article-words.ts";

test.each([
  ["sv", "Swedish"],
  ["und", "language not known"],
  ["xx-!!", "xx-!!"],
  ["", ""],
  ["sv_SE", "sv_SE"],
])("the language %j is shown as %j", (code, name) => {
  expect(languageName(code)).toBe(name);
});
