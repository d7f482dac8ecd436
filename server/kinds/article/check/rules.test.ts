import { describe, expect, test } from "vitest";
import type { QualityRule } from "#shared/article/article.ts";
import type { Brief } from "#server/kinds/article/brief.ts";
import { filler, LINK, testArticle, testBrief, testPage } from "#test/article/brief.ts";
import { parseArticle } from "./article.ts";
import { measureAll, RULES } from "./rules.ts";

function measured(
  markdown: string,
  brief: Brief = testBrief(),
  extractive = false,
): Map<string, QualityRule> {
  const rules = measureAll({ article: parseArticle(markdown), brief, extractive });
  return new Map(rules.map((rule) => [rule.id, rule]));
}

function rule(id: string, markdown: string, brief?: Brief, extractive?: boolean): QualityRule {
  const found = measured(markdown, brief, extractive).get(id);
  if (found === undefined) throw new Error(`no rule ${id}`);
  return found;
}

test("a good article passes every rule, and each rule has an id of its own", () => {
  const verdicts = [...measured(testArticle()).values()].filter(
    ({ verdict }) => verdict === "failed",
  );
  expect(verdicts).toEqual([]);
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
});

const DE =
  "Das ist ein Text über einen kleinen Garten und über die Menschen, die dort am Abend gern sitzen und reden. ".repeat(
    30,
  );

describe.each<[id: string, name: string, markdown: string, figure: string]>([
  ["title", "no title", testArticle({ title: "" }), "0"],
  ["title", "two titles", testArticle({ title: "# One\n\n# Two" }), "2"],
  ["words", "too short", testArticle({ filler: filler(16) }), "words"],
  ["words", "too long", testArticle({ filler: filler(1000) }), "words"],
  ["words", "empty", "", "0 words"],
  ["paragraphs", "one long paragraph", `# T\n\n${filler(500)}`, "1"],
  ["sections", "no headings", testArticle().replaceAll(/^## .*$/gm, ""), "0"],
  ["sections", "headings without text", "# T\n\n## A\n\n## B\n\n## C\n\ntext", "1"],
  ["anchor", "no link", testArticle({ anchor: filler(16) }), "0 links"],
  ["anchor", "three links", testArticle({ anchor: `${LINK} ${LINK} ${LINK}` }), "3 links"],
  [
    "anchor",
    "another text",
    testArticle({ anchor: LINK.replace("clever", "stupid") }),
    "1 link, 0 with the anchor text",
  ],
  [
    "anchor",
    "another address",
    testArticle({ anchor: LINK.replace("/planters)", "/pots)") }),
    "0 links",
  ],
  ["anchor-place", "in a heading", testArticle({ anchor: `## Some ${LINK}` }), "a heading"],
  ["anchor-place", "in the title", testArticle({ title: `# ${LINK}` }), "a heading, the body"],
  [
    "anchor-place",
    "in the first paragraph",
    testArticle({ intro: `Hello ${LINK}.` }),
    "the first paragraph, the body",
  ],
  [
    "anchor-place",
    "in the last paragraph",
    `${testArticle()}\n\nBye ${LINK}.`,
    "the body, the last paragraph",
  ],
  ["anchor-place", "nowhere", testArticle({ anchor: "" }), "no link"],
  [
    "anchor-context",
    "too few terms",
    testArticle({ anchor: `Only water. See ${LINK}.` }),
    "1 (water)",
  ],
  [
    "anchor-context",
    "too many terms",
    testArticle({
      anchor: `Water, soil, roots, light and moisture. Sun, pots and compost. See ${LINK}. A wick. A container with a reservoir.`,
    }),
    "11 (",
  ],
  [
    "anchor-context",
    "terms too far away",
    testArticle({
      anchor: `Water, soil, roots, light, sun and pots. We sit. We look. See ${LINK}. We rest. We go.`,
    }),
    "0 ()",
  ],
  [
    "links",
    "a link to an unrelated site",
    testArticle({ end: "See [this](https://spam.example/)." }),
    "https://spam.example/",
  ],
  [
    "links",
    "a script",
    testArticle({ end: "See [this](javascript:alert(1))." }),
    "javascript:alert(1)",
  ],
  ["links", "a path", testArticle({ end: "See [this](/admin)." }), "/admin"],
  ["trust-source", "none", testArticle({ end: "Nothing." }), "none"],
  ["language", "German", testArticle({ filler: DE }), "% English"],
  ["language", "nothing", "", "0 % English"],
  [
    "readability",
    "long words",
    testArticle({
      filler:
        "Institutional considerations necessitate comprehensive administrative documentation regarding environmental responsibility throughout organisations. ".repeat(
          12,
        ),
    }),
    "Flesch",
  ],
  [
    "leftovers",
    "a refusal",
    testArticle({ intro: "As an AI, I write no such texts." }),
    "As an AI",
  ],
  [
    "leftovers",
    "a placeholder",
    testArticle({ intro: "Welcome to [insert name]." }),
    "[insert name]",
  ],
])("%s fails on %s", (id, _, markdown, figure) => {
  test("and says what was found", () => {
    expect(rule(id, markdown)).toMatchObject({
      verdict: "failed",
      figure: expect.stringContaining(figure),
    });
  });
});

test("a passage copied from the target counts by its length and by its share", () => {
  const brief = testBrief();
  const sentence = brief.target.sections[0]?.paragraphs[0]?.[0] ?? "";
  const once = testArticle({ intro: sentence });
  expect(rule("copied-run", once, brief)).toMatchObject({ verdict: "failed", figure: "29 words" });
  expect(rule("copied-share", once, brief).verdict).toBe("passed");
  expect(
    rule("copied-share", testArticle({ filler: `${sentence} `.repeat(8) }), brief).verdict,
  ).toBe("failed");
});

test("spellings of one address are equal", () => {
  const brief = testBrief({ targetUrl: "https://target.example/a_(b)" });
  const link = "[clever planters](https://TARGET.example/a_%28b%29)";
  expect(rule("anchor", testArticle({ anchor: link }), brief).verdict).toBe("passed");
});

test("related terms in neighbouring paragraphs count", () => {
  const anchor = `It starts with water and soil. Roots need light.\n\nSome use ${LINK} for it.\n\nA wick and a reservoir help.`;
  expect(rule("anchor-context", testArticle({ anchor }))).toMatchObject({
    verdict: "passed",
    figure: "6 (water, soil, roots, light, reservoir, wick)",
  });
});

test("links to the publisher's own pages are welcome", () => {
  const end =
    "See [our page](https://publisher.example/more) and [WaterSense](https://www.epa.gov/).";
  expect(rule("links", testArticle({ end })).verdict).toBe("passed");
});

test("the target does not count as its own trusted source", () => {
  const targetUrl = "https://www.epa.gov/planters";
  const anchor = `[clever planters](${targetUrl})`;
  const brief = testBrief({ targetUrl });
  expect(rule("trust-source", testArticle({ anchor, end: "" }), brief).verdict).toBe("failed");
});

test("a sensitive subject needs its disclaimer", () => {
  const target = testPage({ title: "Casino and poker", keyTerms: ["casino", "poker"] });
  const brief = testBrief({ target });
  expect(rule("disclaimer", testArticle(), brief)).toMatchObject({
    verdict: "failed",
    figure: "missing for gambling",
  });
  const end = "Gambling can be addictive. [WaterSense](https://www.epa.gov/)";
  expect(rule("disclaimer", testArticle({ end }), brief)).toMatchObject({
    verdict: "passed",
    figure: "gambling",
  });
  expect(rule("disclaimer", testArticle()).verdict).toBe("skipped");
});

test("quotations need pages with enough text on related subjects; other writers do not", () => {
  const poor = testBrief({ target: testPage({ words: 20, keyTerms: ["casino"] }) });
  expect(rule("source-text", testArticle(), poor, true)).toMatchObject({
    verdict: "failed",
    figure: "publisher 500, target 20 words",
  });
  expect(rule("common-ground", testArticle(), poor, true)).toMatchObject({
    verdict: "failed",
    figure: "none",
  });
  expect(rule("source-text", testArticle(), testBrief(), true).verdict).toBe("passed");
  expect(rule("common-ground", testArticle(), testBrief(), true).verdict).toBe("passed");
  expect(rule("source-text", testArticle(), poor).verdict).toBe("skipped");
  expect(rule("common-ground", testArticle(), poor).verdict).toBe("skipped");
});

test("readability of Swedish is measured by LIX, and skipped for languages without a measure", () => {
  const easy = "Vi sitter här på kvällen och tittar på allt som vi har gjort. ".repeat(20);
  const hard =
    "Miljöförvaltningens verksamhetsberättelse dokumenterar organisationsförändringarnas konsekvenser. ".repeat(
      20,
    );
  const brief = testBrief({ language: "sv" });
  expect(rule("readability", testArticle({ filler: easy }), brief).verdict).toBe("passed");
  expect(rule("readability", hard, brief)).toMatchObject({
    verdict: "failed",
    limit: "55 at most",
  });
  expect(rule("readability", easy, testBrief({ language: "de" })).verdict).toBe("skipped");
});
