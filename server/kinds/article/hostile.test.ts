/** Hostile pages and model answers, run through every step that processes them. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Failure, Transient } from "#server/kinds/define.ts";
import type { Page } from "./page/page.ts";
import { PageError } from "./page/page-error.ts";
import { timesOf } from "#test/long-run.ts";
import { testArticle, testBrief } from "#test/article/brief.ts";
import { fetchedHtml } from "#test/article/inline-tasks.ts";
import { createRunTask } from "./threads/run-task.ts";
import type { TaskInput, TaskName, TaskOutput } from "./threads/tasks.ts";

vi.setConfig({ testTimeout: 600_000 });

const runTask = createRunTask({ processorMs: 2000 });
const never = new AbortController().signal;
const ADDRESS = "https://site.example/";
const MIB = 1024 * 1024;

/** Resolves to the output, or to `undefined` where the task failed with an error that ends a job. */
async function attempt<Name extends TaskName>(
  name: Name,
  input: TaskInput<Name>,
): Promise<TaskOutput<Name> | undefined> {
  try {
    return await runTask(name, input, never);
  } catch (error) {
    if (!(error instanceof PageError || error instanceof Failure)) throw error;
    if (error instanceof Transient) throw error;
    const { message } = error;
    if (message.length < 1000 && message.isWellFormed()) return undefined;
    throw new Error("the message is too long, or not well-formed", { cause: error });
  }
}

/** Texts that are expensive for regular expressions and parsers, alone or repeated. */
const atom = fc.oneof(
  fc.constantFrom(
    ..."<!----> : . [ ( * _ # | ` & @ ~ \\ < > - = ! \" ' / \n \t \u0000 \u001B \uFEFF \u00A0".split(
      " ",
    ),
    ..." |e.g. |A. |www.|://|[todo|[a](|![|**|](|&#x41;|&#xD800;|&lt;|<b>|</b>|<p>|<a href=x>|<!--".split(
      "|",
    ),
    "gambl",
    "\uD83C\uDF31",
    "\uD800",
    "word",
    "[a]: x\n[a]",
  ),
  fc.string({ unit: "binary", minLength: 1, maxLength: 4 }),
);
const run = fc
  .tuple(fc.array(atom, { minLength: 1, maxLength: 3 }), fc.constantFrom(1, 50, 3000, 60_000))
  .map(([atoms, times]) => atoms.join("").repeat(times).slice(0, 200_000));
const text = fc.array(run, { minLength: 1, maxLength: 3 }).map((runs) => runs.join(" "));
const SENTENCE = "The garden gives salad to a whole family from May until the end of October.";

const element = fc.oneof(
  text.map((inner) => `<p>${SENTENCE} ${inner}</p>`),
  text.map((inner) => `<h2>${inner}</h2><p>${SENTENCE} ${SENTENCE}</p>`),
  text.map((inner) => `<title>${inner}</title>`),
  text.map((value) => `<meta name="description" content="${value}">`),
  text.map((value) => `<a href="https://b.example/${value}">${value}</a>`),
  text.map((value) => `<p class="${value}" ${value}>${SENTENCE}</p>`),
  text.map((value) => `<html lang="${value}">`),
  fc.integer({ min: 1, max: 5000 }).map((times) => `<h2>Head</h2><p>${SENTENCE}</p>`.repeat(times)),
  fc.integer({ min: 1, max: 100_000 }).map((times) => "<div>".repeat(times)),
  fc.integer({ min: 1, max: 100_000 }).map((times) => `<p>${"w".repeat(times)}</p>`),
  text.map((inner) => `<!--${inner}`),
);
const html = fc
  .array(element, { minLength: 1, maxLength: 5 })
  .map((elements) => elements.join("").slice(0, 2 * MIB));

function checkPage(page: Page): void {
  const { profile, siteName, topic, sections, links } = page;
  const { excerpt, keyTerms, headings } = profile;
  const lines = [profile.title, profile.description, siteName, topic, ...headings];
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(300);
  for (const term of keyTerms) expect(term.length).toBeLessThanOrEqual(60);
  for (const { url, text: named } of links) {
    expect(url.length).toBeLessThanOrEqual(2000);
    expect(named.length).toBeLessThanOrEqual(300);
  }
  expect(excerpt.length).toBeLessThanOrEqual(601);
  expect(sections.length).toBeLessThanOrEqual(200);
  const sentences = sections.flatMap(({ paragraphs }) => paragraphs.flat());
  expect(sentences.length).toBeLessThanOrEqual(10_000);
  expect(sentences.join("").length).toBeLessThanOrEqual(200_000);
  const texts = [...lines, ...keyTerms, excerpt, profile.language, ...sentences];
  expect(texts.every((each) => each.isWellFormed())).toBe(true);
}

test("[H2] any page is read, quoted and checked within the limits of time and length, or ends the job", async () => {
  let finished = 0;
  await fc.assert(
    fc.asyncProperty(html, async (source) => {
      const task = { address: ADDRESS, fetched: fetchedHtml(ADDRESS, source) };
      const page = await attempt("readPage", task);
      if (page === undefined) return;
      checkPage(page);
      const brief = testBrief({ publisher: page, target: page, language: page.profile.language });
      const parts = await attempt("promptParts", brief);
      for (const part of Object.values(parts ?? {})) expect(part.length).toBeLessThan(16_000);
      const script = await attempt("compose", brief);
      if (script === undefined) return;
      for (const { heading = "" } of script.parts) expect(heading.length).toBeLessThan(700);
      const markdown = script.title + script.parts.flatMap(({ pieces }) => pieces).join("");
      const reviewed = await attempt("review", { markdown, brief, extractive: true });
      if (reviewed === undefined) return;
      const output = { ...reviewed, publisher: page.profile, target: page.profile };
      expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(5 * MIB);
      finished += 1;
    }),
    { numRuns: timesOf(15, 40) },
  );
  expect(finished).toBeGreaterThan(0);
});

test("[H2] any model answer is checked within the limits of time and length, or ends the job", async () => {
  await fc.assert(
    fc.asyncProperty(text, fc.boolean(), async (inner, around) => {
      const markdown = (around ? testArticle({ filler: inner }) : inner).slice(0, 100_000);
      await attempt("modelPlan", markdown);
      const brief = testBrief();
      const reviewed = await attempt("review", { markdown, brief, extractive: false });
      if (reviewed === undefined) return;
      expect(Buffer.byteLength(JSON.stringify(reviewed))).toBeLessThan(4 * MIB);
      for (const { figure } of reviewed.report.rules)
        expect(figure.length).toBeLessThanOrEqual(500);
      expect(reviewed.title.length).toBeLessThanOrEqual(300);
    }),
    { numRuns: timesOf(5, 40) },
  );
});

test.each([
  [
    "an address that is referred to many times",
    `[a]: https://b.example/${"c".repeat(40_000)}\n\n${"[a] ".repeat(12_000)}`,
  ],
  ["too much Markdown", "a ".repeat(60_000)],
  ["Markdown that HTML writes much longer", "&".repeat(90_000)],
])("%s ends the job with a message that says why", async (_, markdown) => {
  const reviewing = runTask("review", { markdown, brief: testBrief(), extractive: false }, never);
  await expect(reviewing).rejects.toMatchObject({
    name: "Failure",
    code: expect.stringMatching(/^ARTICLE_TOO_(?:LARGE|COMPLEX)$/),
  });
});
