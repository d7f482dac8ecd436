/** Writes with a model: in one go, or planned, section by section, and polished. */
import type { WritingStrategy } from "#shared/article.ts";
import type { Brief, Desk, Write, Written } from "#server/kinds/article/brief.ts";
import { parseArticle, titleOf } from "#server/kinds/article/check/article.ts";
import { measureAll } from "#server/kinds/article/check/rules.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import type { Answer, Ask } from "./ask.ts";
import * as prompts from "./prompts.ts";
import { withoutHeading } from "./without-heading.ts";

/** How often a long answer reports how far it is, in words; and when it should be done. */
const REPORT_WORDS = 150;
const EXPECTED_WORDS = 900;
/** Shares of the writing. */
const PLANNED = 0.1;
const POLISHING = 0.85;
const MOST_SECTIONS = 7;

export function createLlmWriter(ask: Ask, strategy: WritingStrategy): Write {
  return (brief, desk) =>
    strategy === "single_shot" ? writeInOneGo(ask, brief, desk) : writeInStages(ask, brief, desk);
}

async function writeInOneGo(ask: Ask, brief: Brief, desk: Desk): Promise<Written> {
  await desk.step(0, "Writing the article in one go");
  let text = "";
  let reported = 0;
  const answer = await ask(
    { instructions: prompts.instructions(brief), prompt: prompts.wholeArticle(brief) },
    desk.signal,
    async (piece) => {
      text += piece;
      await desk.draft(piece);
      const words = countWords(text);
      if (words < reported + REPORT_WORDS || words >= EXPECTED_WORDS) return;
      reported = words;
      await desk.step(words / EXPECTED_WORDS, `Written ${words} words`);
    },
  );
  const { inputTokens, outputTokens } = answer;
  return { markdown: unfenced(answer.text), inputTokens, outputTokens };
}

async function writeInStages(ask: Ask, brief: Brief, desk: Desk): Promise<Written> {
  const instructions = prompts.instructions(brief);
  const cost = { inputTokens: 0, outputTokens: 0 };
  const request = async (
    prompt: string,
    onText: (text: string) => Promise<void>,
  ): Promise<Answer> => {
    const answer = await ask({ instructions, prompt }, desk.signal, onText);
    cost.inputTokens += answer.inputTokens;
    cost.outputTokens += answer.outputTokens;
    return answer;
  };

  await desk.step(0, "Planning the article");
  const planned = unfenced((await request(prompts.plan(brief), unseen)).text);
  const outline = parseArticle(planned);
  const headings = outline.blocks
    .filter(({ kind, text }) => kind === "heading" && text !== "")
    .map(({ text }) => text)
    .slice(0, MOST_SECTIONS);
  const title = titleOf(outline);
  if (title === "" || headings.length === 0) {
    const { markdown, ...more } = await writeInOneGo(ask, brief, desk);
    return {
      markdown,
      inputTokens: cost.inputTokens + more.inputTokens,
      outputTokens: cost.outputTokens + more.outputTokens,
    };
  }
  await desk.step(PLANNED, `Planned ${headings.length} sections`);

  let markdown = "";
  const write = async (text: string): Promise<void> => {
    markdown += text;
    await desk.draft(text);
  };
  await write(`# ${title}\n\n`);
  const parts = ["", ...headings];
  // The introduction is no place for the link, nor is the end.
  const linkAt = Math.ceil((parts.length - 1) / 2);
  for (const [at, heading] of parts.entries()) {
    const done = PLANNED + (at / parts.length) * (POLISHING - PLANNED);
    await desk.step(done, heading === "" ? "Writing the introduction" : `Writing "${heading}"`);
    if (heading !== "") await write(`## ${heading}\n\n`);
    const task = {
      plan: planned,
      heading,
      soFar: markdown,
      carriesLink: at === linkAt,
      last: at === parts.length - 1,
    };
    const text = withoutHeading(write);
    await request(prompts.section(brief, task), text.write);
    await text.end();
    await write("\n\n");
  }

  await desk.step(POLISHING, "Polishing the text");
  const polished = unfenced((await request(prompts.polish(brief, markdown), unseen)).text);
  return {
    ...cost,
    markdown: failures(polished, brief) <= failures(markdown, brief) ? polished : markdown,
  };
}

/** Plans and polished texts are not part of the draft that people watch: it only ever grows. */
async function unseen(): Promise<void> {}

/** A polished text that breaks more rules than its draft is not taken. */
function failures(markdown: string, brief: Brief): number {
  const rules = measureAll({ article: parseArticle(markdown), brief, extractive: false });
  return rules.filter(({ verdict }) => verdict === "failed").length;
}

/** Models like to wrap Markdown into a code fence, whatever they are told. */
function unfenced(text: string): string {
  const fence = /^\s*```(?:markdown|md)?[ \t]*\n([\s\S]*?)\n```\s*$/.exec(text);
  return fence?.[1] ?? text;
}
