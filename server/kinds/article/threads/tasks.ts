/**
 * Everything that is done with text of pages and models, beyond joining strings of known length. It runs in
 * threads, within a time limit: synchronous, and the same input gives the same output.
 */
import type { Brief } from "#server/kinds/article/brief.ts";
import { parseArticle, titleOf } from "#server/kinds/article/check/article.ts";
import { review } from "#server/kinds/article/check/review.ts";
import { measureAll } from "#server/kinds/article/check/rules.ts";
import { readPage } from "#server/kinds/article/page/read-page.ts";
import { beginningOf } from "#shared/cut-text.ts";
import { promptParts } from "#server/kinds/article/write/llm/prompt-parts.ts";
import { unfenced } from "#server/kinds/article/write/llm/unfenced.ts";
import { script } from "#server/kinds/article/write/offline/script.ts";

const MOST_SECTIONS = 7;
const LONGEST_HEADING = 200;

export const TASKS = {
  readPage,
  /** Composes an article from both pages, as the pieces that people see one after the other. */
  compose: script,
  promptParts,
  unfenced,
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

/** The answer of a model that was asked for a plan. */
function modelPlan(answer: string): ModelPlan {
  const text = unfenced(answer);
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

/** A polished text that breaks more rules than its draft is not taken. */
function betterArticle({ draft, answer, brief }: Polished): string {
  const failures = (markdown: string): number =>
    measureAll({ article: parseArticle(markdown), brief, extractive: false }).filter(
      ({ verdict }) => verdict === "failed",
    ).length;
  const polished = unfenced(answer);
  return failures(polished) <= failures(draft) ? polished : draft;
}
