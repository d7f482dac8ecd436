import { expect, test } from "vitest";
import { languageName } from "./language-name.ts";
import { languageOf } from "./language.ts";

const SWEDISH =
  "Det här är en text om cyklar och lampor, och den är skriven på svenska för den som vill läsa om att cykla i mörker hela vintern.";

test.each([
  [SWEDISH, "", "sv"],
  [SWEDISH, "en-GB", "sv"],
  ["OK", "sv_SE", "sv"],
  ["OK", "  ", "und"],
  ["", "x", "und"],
])("%j, declared as %j, is %s", (text, declared, language) => {
  expect(languageOf(text, declared)).toBe(language);
});

test("languages are named in English", () => {
  expect(languageName("sv")).toBe("Swedish");
  expect(languageName("und")).toBe("an unknown language");
});
