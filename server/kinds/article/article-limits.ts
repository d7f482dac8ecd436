import { Failure } from "#server/kinds/define.ts";

/**
 * Lengths of an article, in UTF-16 code units: of the Markdown, several times what the rules allow; and of the
 * HTML, since a few characters of Markdown can make much of it. A control character takes six bytes of JSON:
 * with these lengths and those of two page profiles an output stays below 5 MiB.
 */
export const LONGEST_ARTICLE = 100_000;
export const LONGEST_HTML = 400_000;
export const LONGEST_TITLE = 300;
/** Of a rule's result, which can quote words and addresses of the article. */
export const LONGEST_FIGURE = 500;
/** Of everything that a job says to people. */
export const LONGEST_MESSAGE = 1000;

export function tooLarge(format: "HTML" | "Markdown", most: number): Failure {
  const limit = most.toLocaleString("en");
  return new Failure(
    "ARTICLE_TOO_LARGE",
    `The article has more than ${limit} characters of ${format}: regenerate it, or choose another writer`,
  );
}
