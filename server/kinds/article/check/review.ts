/** Final review of an article: checks and mends it, and renders the HTML to deliver. */
import type { ArticleOutput } from "#shared/article/article.ts";
import {
  LONGEST_ARTICLE,
  LONGEST_HTML,
  LONGEST_TITLE,
  tooLarge,
} from "#server/kinds/article/article-limits.ts";
import type { Brief } from "#server/kinds/article/brief.ts";
import { articleHtml } from "#server/kinds/article/deliver/html.ts";
import { cutText } from "#shared/cut-text.ts";
import { clean, cleanMarkdown } from "#server/kinds/article/text/clean.ts";
import { countWords } from "#server/kinds/article/text/words.ts";
import { parseArticle, proseOf, titleOf } from "./article.ts";
import { check } from "./check.ts";

export interface Draft {
  markdown: string;
  brief: Brief;
  /** True where the article consists of quotations. */
  extractive: boolean;
}

export type Reviewed = Pick<ArticleOutput, "markdown" | "report" | "title" | "words" | "html">;

/** Throws `ARTICLE_TOO_LARGE`. */
export function review({ markdown, brief, extractive }: Draft): Reviewed {
  checkLength("Markdown", markdown, LONGEST_ARTICLE);
  const checked = check(cleanMarkdown(markdown.toWellFormed()), brief, extractive);
  checkLength("Markdown", checked.markdown, LONGEST_ARTICLE);
  const html = clean(articleHtml(checked.markdown).toWellFormed());
  checkLength("HTML", html, LONGEST_HTML);
  const article = parseArticle(checked.markdown);
  return {
    ...checked,
    html,
    title: cutText(titleOf(article), LONGEST_TITLE),
    words: countWords(proseOf(article)),
  };
}

function checkLength(format: "HTML" | "Markdown", { length }: string, most: number): void {
  if (length > most) throw tooLarge(format, most);
}
