import { Failure } from "#server/kinds/define.ts";

/**
 * Limits of an article's length, in UTF-16 code units. The Markdown may be several times longer than the rules allow.
 * The HTML has a limit of its own, because a few characters of Markdown can expand to a lot of it. JSON needs six bytes
 * for a control character; with these limits, an output with its two page profiles stays below 5 MiB.
 */
export const LONGEST_ARTICLE = 100_000;
export const LONGEST_HTML = 400_000;
export const LONGEST_TITLE = 300;
/** Limit of a rule's figure, which can quote words and addresses of the article. */
export const LONGEST_FIGURE = 500;
/** Limit of each message that a job shows to people. */
export const LONGEST_MESSAGE = 1000;

export function tooLarge(format: "HTML" | "Markdown", most: number): Failure {
  const limit = most.toLocaleString("en");
  return new Failure(
    "ARTICLE_TOO_LARGE",
    `The article has more than ${limit} characters of ${format}: regenerate it, or choose another writer`,
  );
}
