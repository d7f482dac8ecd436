import { expect, test } from "vitest";
import { testBrief, testPage } from "#test/article/brief.ts";
import { isTrusted, trustSource } from "./trust.ts";

test.each([
  ["https://www.epa.gov/x", true],
  ["https://gov.uk/", true],
  ["https://www.gov.uk/", true],
  ["https://sv.wikipedia.org/wiki/Lampa", true],
  ["https://www.1177.se/", true],
  ["https://epa.gov.evil.example/", false],
  ["https://notwikipedia.org/", false],
  ["https://wikipedia.org.example/", false],
  ["nonsense", false],
])("%s can be trusted: %s", (url, trusted) => {
  expect(isTrusted(url)).toBe(trusted);
});

const AGENCY = { url: "https://www.epa.gov/", text: "the agency" };
const PAPER = { url: "https://paper.example/", text: "a paper" };
const LIBRARY = { url: "https://en.wikipedia.org/wiki/Water", text: "an encyclopedia" };

test("a source that the target links to is preferred", () => {
  const brief = testBrief({
    target: testPage({}, [PAPER, AGENCY]),
    publisher: testPage({}, [LIBRARY]),
  });
  expect(trustSource(brief)).toEqual({
    name: "the agency",
    url: AGENCY.url,
    namedBy: "Green Fingers",
  });
});

test("otherwise the source for a sensitive subject is taken, in the article's language", () => {
  const target = testPage({ title: "Casino och poker", language: "sv" });
  const brief = testBrief({ target, publisher: testPage({}, [LIBRARY]), language: "sv" });
  expect(trustSource(brief)).toMatchObject({ name: "Stödlinjen", namedBy: undefined });
});

test("otherwise a source that the publisher names is taken, and at last a search", () => {
  expect(trustSource(testBrief({ publisher: testPage({}, [LIBRARY]) })).url).toBe(LIBRARY.url);
  expect(trustSource(testBrief())).toEqual({
    name: "Wikipedia",
    url: "https://en.wikipedia.org/w/index.php?search=water",
    namedBy: undefined,
    search: "water",
  });
});
