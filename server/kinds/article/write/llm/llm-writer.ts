/** Writes with a model: in one request, or as a plan, section by section, and a final polish. */
import type { WritingStrategy } from "#shared/article/article.ts";
import type { Brief, Desk, Write, Written } from "#server/kinds/article/brief.ts";
import { LONGEST_ARTICLE } from "#server/kinds/article/article-limits.ts";
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";
import { Failure } from "#server/kinds/define.ts";
import type { Answer, Ask } from "./ask.ts";
import type { PromptParts } from "./prompt-parts.ts";
import * as prompts from "./prompts.ts";
import { stripLeadingHeading } from "./strip-leading-heading.ts";
import { createWordCounter } from "./word-counter.ts";

/** Interval of progress reports during a long answer, in words; and the length at which progress reaches the end. */
const REPORT_WORDS = 150;
const EXPECTED_WORDS = 900;
/** Progress, as shares of the writing, after each stage. */
const PLANNED = 0.1;
const POLISHING = 0.85;

interface Session {
  ask: Ask;
  runTask: RunTask;
  parts: PromptParts;
  brief: Brief;
  desk: Desk;
}

export function createLlmWriter(ask: Ask, strategy: WritingStrategy, runTask: RunTask): Write {
  return async (brief, desk) => {
    const parts = await runTask("promptParts", brief, desk.signal);
    const session = { ask, runTask, parts, brief, desk };
    return await (strategy === "single_shot" ? writeInOneGo(session) : writeInStages(session));
  };
}

async function writeInOneGo({ ask, runTask, parts, desk }: Session): Promise<Written> {
  await desk.step(0, "Writing the article in one go");
  const count = createWordCounter();
  let reported = 0;
  const answer = await ask(
    {
      instructions: parts.instructions,
      prompt: prompts.wholeArticle(parts),
      traceparent: desk.traceparent,
    },
    desk.signal,
    async (piece) => {
      await desk.draft(piece);
      const words = count(piece);
      if (words < reported + REPORT_WORDS || words >= EXPECTED_WORDS) return;
      reported = words;
      await desk.step(words / EXPECTED_WORDS, `Written ${words} words`);
    },
  );
  const { inputTokens, outputTokens } = answer;
  const markdown = await runTask("stripCodeFence", answer.text, desk.signal);
  return { markdown, inputTokens, outputTokens };
}

async function writeInStages(session: Session): Promise<Written> {
  const { ask, runTask, parts, brief, desk } = session;
  const cost = { inputTokens: 0, outputTokens: 0 };
  const request = async (
    prompt: string,
    onText: (text: string) => Promise<void>,
  ): Promise<Answer> => {
    const { instructions } = parts;
    const { signal, traceparent } = desk;
    const answer = await ask({ instructions, prompt, traceparent }, signal, onText);
    cost.inputTokens += answer.inputTokens;
    cost.outputTokens += answer.outputTokens;
    return answer;
  };

  await desk.step(0, "Planning the article");
  const planned = await request(prompts.plan(parts), unseen);
  const { text: plan, title, headings } = await runTask("modelPlan", planned.text, desk.signal);
  if (title === "" || headings.length === 0) {
    const { markdown, ...more } = await writeInOneGo(session);
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
    if (markdown.length > LONGEST_ARTICLE) throw tooLong();
    await desk.draft(text);
  };
  await write(`# ${title}\n\n`);
  const sections = ["", ...headings];
  // The rules forbid the link in the first and last paragraphs.
  const linkAt = Math.ceil((sections.length - 1) / 2);
  for (const [at, heading] of sections.entries()) {
    const done = PLANNED + (at / sections.length) * (POLISHING - PLANNED);
    await desk.step(done, heading === "" ? "Writing the introduction" : `Writing "${heading}"`);
    if (heading !== "") await write(`## ${heading}\n\n`);
    const task = {
      plan,
      heading,
      soFar: markdown,
      carriesLink: at === linkAt,
      last: at === sections.length - 1,
    };
    await request(prompts.section(parts, task), stripLeadingHeading(write));
    await write("\n\n");
  }

  await desk.step(POLISHING, "Polishing the text");
  const polished = await request(prompts.polish(parts, markdown), unseen);
  const texts = { draft: markdown, answer: polished.text, brief };
  return { ...cost, markdown: await runTask("betterArticle", texts, desk.signal) };
}

/** Keeps plans and polished texts out of the draft, which only ever grows. */
async function unseen(): Promise<void> {}

function tooLong(): Failure {
  return new Failure(
    "LLM_TOO_LONG",
    `The model wrote more than ${LONGEST_ARTICLE.toLocaleString("en")} characters: regenerate the article, or choose another model`,
  );
}
