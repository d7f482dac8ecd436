import { expect, test } from "vitest";
import { testBrief, testPage } from "#test/article/brief.ts";
import { TOPICS, topicsOf } from "./topics.ts";

test.each([
  ["en", "The best casino and poker bets", ["gambling"]],
  ["en", "Bitcoin wallets on a blockchain", ["crypto"]],
  ["en", "A loan with low interest", ["finance"]],
  ["en", "Symptoms and treatment", ["health"]],
  ["en", "Your lawyer in court", ["legal"]],
  ["en", "A loan for your treatment of symptoms and debt", ["finance", "health"]],
  ["en", "A river bank", []],
  ["en", "Gardening for everyone", []],
  ["sv", "Låna pengar: bolån och ränta", ["finance"]],
  ["sv", "Symtom och behandling av sjukdomar", ["health"]],
  ["de", "Casino und Poker", ["gambling"]],
])("%s: %s is about %j", (language, title, names) => {
  const target = testPage({ title, language, keyTerms: [] });
  expect(topicsOf(testBrief({ target })).map(({ name }) => name)).toEqual(names);
});

test("each disclaimer satisfies its own rule, in both languages", () => {
  for (const { accepts, disclaimer } of TOPICS) {
    expect(disclaimer["en"]).toMatch(accepts);
    expect(disclaimer["sv"]).toMatch(accepts);
  }
});
