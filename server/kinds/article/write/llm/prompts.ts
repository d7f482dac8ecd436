/** Joins prompts from parts of bounded length. */
import { THRESHOLDS as LIMITS } from "#server/kinds/article/check/thresholds.ts";
import type { PromptParts } from "./prompt-parts.ts";

function articleRules({ linkRule, copyRule, source, disclaimers }: PromptParts): string {
  return [
    `- 600 to 900 words, at least ${LIMITS.sections + 1} sections with a "##" heading, at least ${LIMITS.paragraphs + 2} paragraphs.`,
    `- ${linkRule}`,
    `- Refer the reader to ${source} as a source, once. No other links.`,
    `- ${copyRule}`,
    "- Short sentences and plain words.",
    ...disclaimers.map((disclaimer) => `- End with this paragraph: ${disclaimer}`),
  ].join("\n");
}

export function wholeArticle(parts: PromptParts): string {
  return [
    parts.material,
    'Write an article. It begins with one "# " title and an introduction of one or two paragraphs.',
    articleRules(parts),
  ].join("\n\n");
}

export function plan(parts: PromptParts): string {
  return [
    parts.material,
    `Plan an article of ${LIMITS.sections + 1} or ${LIMITS.sections + 2} sections. Answer with one "# " title, and for each section a "## " heading and below it one sentence on what it says. The article itself follows these rules:`,
    articleRules(parts),
  ].join("\n\n");
}

export interface SectionTask {
  /** The plan in the model's own words. */
  plan: string;
  /** Empty for the introduction. */
  heading: string;
  soFar: string;
  carriesLink: boolean;
  last: boolean;
}

export function section(parts: PromptParts, task: SectionTask): string {
  const rules = [
    "- 110 to 170 words in two paragraphs, no heading, no title.",
    `- ${task.carriesLink ? parts.linkRule : "No link to the target page here."}`,
    ...(task.last ? [`- Refer the reader to ${parts.source} as a source.`] : []),
    `- ${parts.copyRule}`,
    ...(task.last
      ? parts.disclaimers.map((disclaimer) => `- After the two paragraphs, this one: ${disclaimer}`)
      : []),
  ];
  return [
    parts.material,
    `The plan of the article:\n${task.plan}`,
    `The article so far:\n${task.soFar}`,
    task.heading === ""
      ? "Write the introduction now."
      : `Write the text of the section "${task.heading}" now.`,
    rules.join("\n"),
  ].join("\n\n");
}

export function polish(parts: PromptParts, draft: string): string {
  return [
    `This is the draft of an article:\n${draft}`,
    "Polish it: even out repetitions and transitions, keep its facts, headings, links and length. Answer with the whole article. It follows these rules:",
    articleRules(parts),
  ].join("\n\n");
}
