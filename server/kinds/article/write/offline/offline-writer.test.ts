import { expect, test } from "vitest";
import type { Brief, Desk, Written } from "#server/kinds/article/brief.ts";
import { check } from "#server/kinds/article/check/check.ts";
import type { Page } from "#server/kinds/article/page/page.ts";
import { testBrief, testPage } from "#test/article/brief.ts";
import { runInline } from "#test/article/inline-tasks.ts";
import { SAMPLE_PAIRS, sampleBrief } from "#test/article/samples.ts";
import { createOfflineWriter } from "./offline-writer.ts";

// Composes and checks many articles.

interface Watched {
  written: Written;
  draft: string;
  pieces: string[];
  steps: number[];
}

async function write(brief: Brief): Promise<Watched> {
  const pieces: string[] = [];
  const steps: number[] = [];
  const desk: Desk = {
    signal: new AbortController().signal,
    async draft(text) {
      pieces.push(text);
    },
    async step(done) {
      steps.push(done);
    },
  };
  const written = await createOfflineWriter(0, runInline)(brief, desk);
  return { written, draft: pieces.join(""), pieces, steps };
}

test.each(SAMPLE_PAIRS)(
  "the sample pair $publisher and $target passes every rule, unmended",
  async (pair) => {
    const brief = await sampleBrief(pair);
    const { written } = await write(brief);
    const { report, markdown } = check(written.markdown, brief, true);
    expect(
      report.rules.filter(({ verdict }) => verdict !== "passed" && verdict !== "skipped"),
    ).toEqual([]);
    expect(markdown).toBe(written.markdown);
  },
);

test("with other addresses the phrases between quotations change, and the rules still hold", async () => {
  const texts = new Set<string>();
  for (const pair of SAMPLE_PAIRS) {
    for (let site = 0; site < 12; site++) {
      const brief = await sampleBrief(pair, `http://site${site}.example`);
      const { written } = await write(brief);
      expect(check(written.markdown, brief, true).report.passed).toBe(true);
      texts.add(written.markdown.replaceAll(/http:\S+/g, ""));
    }
  }
  expect(texts.size).toBeGreaterThan(SAMPLE_PAIRS.length);
});

test("[A4] the same brief gives the same article, and the draft is that article", async () => {
  const brief = await sampleBrief(SAMPLE_PAIRS[0]);
  const first = await write(brief);
  const second = await write(await sampleBrief(SAMPLE_PAIRS[0]));
  expect(second.written).toEqual(first.written);
  expect(first.draft).toBe(first.written.markdown);
  expect(first.pieces.length).toBeGreaterThan(20);
  expect(first.steps).toEqual(first.steps.toSorted((a, b) => a - b));
  expect(first.written).toMatchObject({ inputTokens: 0, outputTokens: 0 });
});

test("every quotation is a sentence of the page that it names", async () => {
  const brief = await sampleBrief(SAMPLE_PAIRS[1]);
  const { written } = await write(brief);
  const pages = [brief.publisher, brief.target].map(({ sections }) =>
    sections.flatMap(({ paragraphs }) => paragraphs.flat()).join(" "),
  );
  const passages = [
    ...written.markdown.matchAll(/(?:writes|explains|this|adds|on|it|words of [\w ]+): “([^”]+)”/g),
  ];
  expect(passages.length).toBeGreaterThan(3);
  for (const [, passage] of passages) {
    expect(pages.some((page) => page.includes(passage ?? "?"))).toBe(true);
  }
});

test("a lead-in is reused only after all others", async () => {
  const { written } = await write(await sampleBrief(SAMPLE_PAIRS[2]));
  const leads = written.markdown.match(/(?<=^|[.”] )[^”“.]+(?=: ”)/gm) ?? [];
  expect(leads.length).toBeGreaterThan(5);
  expect(new Set(leads).size).toBe(leads.length);
});

test.each([
  ["read more", "The whole text is at Willow and Clay: [read more]("],
  [
    "https://willow.example",
    String.raw`The whole text is at Willow and Clay: [https\://willow.example](`,
  ],
  ["Läs mer här", "The whole text is at Willow and Clay: [Läs mer här]("],
  ["planters that water themselves", "on its page about [planters that water themselves]("],
  ["seeds and soil", "on its page about [seeds and soil]("],
])("the anchor text %j stands in a sentence that fits it", async (anchorText, sentence) => {
  const { written } = await write(await sampleBrief({ ...SAMPLE_PAIRS[0], anchorText }));
  expect(written.markdown).toContain(sentence);
});

test("pages in two languages are quoted unchanged, and the language rule blocks the job", async () => {
  const brief = await sampleBrief({ ...SAMPLE_PAIRS[2], target: "target/" });
  const { written } = await write(brief);
  const { report } = check(written.markdown, brief, true);
  expect(report.rules.find(({ id }) => id === "language")).toMatchObject({ verdict: "failed" });
});

test("pages without text give a short article that fails the checks", async () => {
  const bare = { ...testPage({ words: 3 }), sections: [] };
  const brief = testBrief({ publisher: bare, target: bare });
  const { written } = await write(brief);
  expect(written.markdown).toContain("# Garden: a reading guide");
  expect(check(written.markdown, brief, true).report.passed).toBe(false);
});

function headless(page: Page): Page {
  const paragraphs = page.sections.flatMap((section) => section.paragraphs);
  return { ...page, sections: [{ heading: "", paragraphs }] };
}

test("a text without headings is divided into sections", async () => {
  const brief = await sampleBrief(SAMPLE_PAIRS[0]);
  const plain = { ...brief, publisher: headless(brief.publisher), target: headless(brief.target) };
  const { written } = await write(plain);
  const headings = written.markdown.match(/^## Willow and Clay on “\w+”$/gm) ?? [];
  expect(headings.length).toBeGreaterThan(2);
  expect(new Set(headings).size).toBe(headings.length);
  expect(check(written.markdown, plain, true).report.passed).toBe(true);
});

test("markup in a page is plain text in the article", async () => {
  const brief = await sampleBrief(SAMPLE_PAIRS[0]);
  const target = {
    ...brief.target,
    siteName: "<script>alert(1)</script>",
    topic: "# [x](http://evil.example)",
  };
  const { written } = await write({ ...brief, target });
  expect(written.markdown).not.toContain("<script>");
  expect(written.markdown).not.toContain("[x](http");
});

test("an abort ends the writing between two sentences, also while it pauses", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  let pieces = 0;
  const desk: Desk = {
    signal: controller.signal,
    async draft() {
      pieces += 1;
      if (pieces === 3) controller.abort(reason);
    },
    async step() {},
  };
  const brief = await sampleBrief(SAMPLE_PAIRS[0]);
  await expect(createOfflineWriter(0, runInline)(brief, desk)).rejects.toBe(reason);
  expect(pieces).toBe(3);
});

test("an abort ends the pause between sentences", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  const desk: Desk = {
    signal: controller.signal,
    async draft() {
      queueMicrotask(() => controller.abort(reason));
    },
    async step() {},
  };
  const brief = await sampleBrief(SAMPLE_PAIRS[0]);
  await expect(createOfflineWriter(3_600_000, runInline)(brief, desk)).rejects.toBe(reason);
});
