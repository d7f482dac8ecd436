/** How the jobs of the article kind are shown. */
import type { KindView } from "#client/app/kind-parts.ts";
import { ArticleInputSchema, ArticleOutputSchema } from "#shared/article/article.schema.ts";
import type { ArticleInput } from "#shared/article/article.ts";
import { ArticleView } from "./article-view.tsx";
import { STRATEGIES, WRITERS } from "./labels.ts";
import { isLasting } from "./lasting-error.ts";

export const view: KindView = {
  noun: "article",
  beforeDraft: "Both pages are read first.",
  isLasting,

  inputRows(given) {
    const input = inputOf(given);
    if (input === undefined) return undefined;
    const words = {
      ...input,
      llmProvider: WRITERS[input.llmProvider],
      writingStrategy: STRATEGIES[input.writingStrategy],
    };
    return rowsOf(words).map(([name, value]) => [
      ArticleInputSchema.shape[name].meta()?.title ?? name,
      value,
    ]);
  },

  queryOf(given) {
    const input = inputOf(given);
    return input && new URLSearchParams(rowsOf(input)).toString();
  },

  output(given) {
    const { data: article } = ArticleOutputSchema.safeParse(given);
    if (article === undefined) return undefined;
    const advice = article.report.passed
      ? undefined
      : "The quality report below names the failed checks.";
    return { shown: <ArticleView article={article} />, advice };
  },
};

/** `given` comes from a record, which any program may have stored. */
function inputOf(given: unknown): ArticleInput | undefined {
  return ArticleInputSchema.safeParse(given).data;
}

function rowsOf(
  input: Partial<Record<keyof ArticleInput, string | undefined>>,
): [keyof ArticleInput, string][] {
  const rows = Object.entries(input) as [keyof ArticleInput, string | undefined][];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}
