/**
 * The kind `article` for a program of your own. Its packages are optional peers; this module does not load without them.
 *
 * ```ts
 * const article = articleFromEnv(process.env);
 * await runProgram(process.env, { kinds: [article, mine], sites: [SAMPLES] });
 * ```
 */
import { type Env, loadVariables } from "#shared/load-variables.ts";
import { createArticleKind } from "./kind.ts";
import { assertPeers } from "./peers.ts";
import { ARTICLE_VARIABLES, articleOptions } from "./settings.ts";

export type { ArticleInput, ArticleOutput } from "#shared/article/article.ts";
export { type ArticleKindOptions, createArticleKind } from "./kind.ts";
export { SAMPLES, samplesOf } from "./samples.ts";
export { ARTICLE_VARIABLES, type ArticleSettings, articleOptions } from "./settings.ts";
export type { Models } from "./write/writer-settings.ts";

assertPeers();

/**
 * Creates the kind with the settings of its environment variables, `ARTICLE_VARIABLES`, such as OPENAI_API_KEY. Without FETCH_ALLOW it fetches no private address. Throws `ConfigError` with one line per bad variable.
 */
export function articleFromEnv(env: Env): ReturnType<typeof createArticleKind> {
  return createArticleKind(articleOptions(loadVariables(env, ARTICLE_VARIABLES)));
}
