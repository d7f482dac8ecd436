/**
 * All work on text of pages and models except joining strings of bounded length. It runs in threads under a time
 * limit, synchronously; equal inputs give equal outputs.
 */
import type { Brief } from "#server/kinds/article/brief.ts";
import { parseArticle, titleOf } from "#server/kinds/article/check/article.ts";
import { review } from "#server/kinds/article/check/review.ts";
import { measureAll } from "#server/kinds/article/check/rules.ts";
import { readPage } from "#server/kinds/article/page/read-page.ts";
import { beginningOf } from "#shared/cut-text.ts";
import { promptParts } from "#server/kinds/article/write/llm/prompt-parts.ts";
import { stripCodeFence } from "#server/kinds/article/write/llm/strip-code-fence.ts";
import { script } from "#server/kinds/article/write/offline/script.ts";

const MOST_SECTIONS = 7;
const LONGEST_HEADING = 200;

export const TASKS = {
  readPage,
  /** Composes an article from both pages, as the pieces of the draft in order. */
  compose: script,
  promptParts,
  stripCodeFence,
  modelPlan,
  betterArticle,
  review,
};

export type Tasks = typeof TASKS;
export type TaskName = keyof Tasks;
export type TaskInput<Name extends TaskName> = Parameters<Tasks[Name]>[0];
export type TaskOutput<Name extends TaskName> = ReturnType<Tasks[Name]>;

export interface ModelPlan {
  text: string;
  title: string;
  headings: string[];
}

/** Parses a model's answer to the planning prompt. */
function modelPlan(answer: string): ModelPlan {
  const text = stripCodeFence(answer);
  const outline = parseArticle(text);
  const headings = outline.blocks
    .filter(({ kind, text }) => kind === "heading" && text !== "")
    .slice(0, MOST_SECTIONS)
    .map(({ text }) => beginningOf(text, LONGEST_HEADING));
  return { text, title: beginningOf(titleOf(outline), LONGEST_HEADING), headings };
}

export interface Polished {
  draft: string;
  answer: string;
  brief: Brief;
}

/** Keeps the draft where the polished text breaks more rules. */
function betterArticle({ draft, answer, brief }: Polished): string {
  const failures = (markdown: string): number =>
    measureAll({ article: parseArticle(markdown), brief, extractive: false }).filter(
      ({ verdict }) => verdict === "failed",
    ).length;
  const polished = stripCodeFence(answer);
  return failures(polished) <= failures(draft) ? polished : draft;
}
