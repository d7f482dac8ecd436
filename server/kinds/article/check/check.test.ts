import { describe, expect, test } from "vitest";
import type { Brief } from "#server/kinds/article/brief.ts";
import { filler, LINK, testArticle, testBrief, testPage } from "#test/article/brief.ts";
import { check } from "./check.ts";

function mended(markdown: string, brief: Brief = testBrief()) {
  const { report, markdown: after } = check(markdown, brief, false);
  const ids = report.rules.filter(({ verdict }) => verdict === "mended").map(({ id }) => id);
  return { report, after, ids };
}

test("an article that passes every rule stays unchanged", () => {
  const article = testArticle();
  expect(mended(article)).toMatchObject({ after: article, ids: [], report: { passed: true } });
});

const WITH_TERMS =
  "It starts with water and good soil. Strong roots grow in a container. A wick and a reservoir do the rest.";

describe.each<[name: string, markdown: string, ids: string[]]>([
  ["a missing title is taken from the target", testArticle({ title: "" }), ["title"]],
  [
    "of two titles the second becomes a heading",
    testArticle({ title: "# One\n\n# Two" }),
    ["title"],
  ],
  [
    "a link in the first paragraph becomes text",
    testArticle({ intro: `Hello ${LINK}.` }),
    ["anchor-place", "anchor-context"],
  ],
  [
    "a link in the title becomes text",
    testArticle({ title: `# ${LINK}` }),
    ["anchor-place", "anchor-context"],
  ],
  [
    "a link in the last paragraph becomes text",
    `${testArticle()}\n\nBye ${LINK}.`,
    ["anchor-place", "anchor-context"],
  ],
  [
    "a stray link becomes text",
    testArticle({ intro: "Hello [you](https://spam.example/)." }),
    ["links"],
  ],
  ["a missing source is named", testArticle({ end: "Nothing." }), ["trust-source"]],
  [
    "a missing link is inserted where the text is about its subject",
    testArticle({ anchor: WITH_TERMS }),
    ["anchor", "anchor-place", "anchor-context"],
  ],
  [
    "more links than allowed become text",
    testArticle({
      anchor: `Water, soil and roots, says ${LINK}. Light, a wick and a reservoir, says ${LINK}. So says ${LINK}.`,
    }),
    ["anchor"],
  ],
])("%s", (_, markdown, ids) => {
  test("and the report says that it was mended", () => {
    const result = mended(markdown);
    expect(result.ids.toSorted()).toEqual(ids.toSorted());
    expect(result.report.rules.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    expect(result.report.passed).toBe(true);
  });
});

test("disclaimers are added for each sensitive subject", () => {
  const target = testPage({ title: "Casino, poker, loans and debt" });
  const { after, ids } = mended(testArticle(), testBrief({ target }));
  expect(ids).toEqual(["disclaimer"]);
  expect(after).toContain("Gambling is for adults only");
  expect(after).toContain("not financial advice");
});

test("a rule that mending cannot satisfy stays failed in the report", () => {
  const { report } = mended(testArticle({ filler: filler(16) }));
  expect(report.passed).toBe(false);
  expect(report.rules.find(({ id }) => id === "words")).toMatchObject({ verdict: "failed" });
});

test.each(["", "asdf", "# T", "```\ncode\n```", "- a\n- b"])(
  "mending does not make nonsense pass: %j",
  (text) => {
    expect(mended(text).report.passed).toBe(false);
  },
);

test("page text that mending inserts cannot become markup", () => {
  const target = { ...testPage(), siteName: "<img src=x> [x](http://evil.example)" };
  const { after } = mended(
    testArticle({ anchor: WITH_TERMS }),
    testBrief({ target, anchorText: "a ] ( b $& $1" }),
  );
  expect(after).toContain(String.raw`\<img src=x\>`);
  expect(after).toContain(String.raw`a \] ( b $\& $1`);
});
