import { expect, test } from "vitest";
import { sentencesOf } from "./sentences.ts";

test.each([
  ["en", "It rains. We stay in! Do we?", ["It rains.", "We stay in!", "Do we?"]],
  [
    "en",
    "Herbs, e.g. thyme, want sun. Dr. Green agrees.",
    ["Herbs, e.g. thyme, want sun.", "Dr. Green agrees."],
  ],
  ["en", "It costs 2.50 euro.  Cheap.", ["It costs 2.50 euro.", "Cheap."]],
  [
    "sv",
    "Örter, t.ex. Timjan, vill ha sol. Lampan tål ca. 20 grader.",
    ["Örter, t.ex. Timjan, vill ha sol.", "Lampan tål ca. 20 grader."],
  ],
  ["und", "One. Two", ["One.", "Two"]],
  ["en", "Ends with etc.", ["Ends with etc."]],
  ["en", "  ", []],
])("%s: %j", (language, text, sentences) => {
  expect(sentencesOf(text, language)).toEqual(sentences);
});
