/** The types of the article kind need none of its packages. Each line below `@ts-expect-error` must not compile. */
import type { Principal } from "jobwire";
import { type ArticleInput, articleFromEnv, createArticleKind } from "jobwire/article";
import { jobwire } from "./article.ts";

export async function wrong(principal: Principal, input: ArticleInput) {
  const { kinds } = jobwire;
  // @ts-expect-error: an article has a target
  await kinds.article.create(principal, { publisherDomain: "example.com", anchorText: "here" });
  // @ts-expect-error: there is no such writer
  await kinds.article.create(principal, { ...input, llmProvider: "typewriter" });
  const { output } = await kinds.article.get(principal, "id");
  // @ts-expect-error: a number
  const words: string | undefined = output?.words;
  // @ts-expect-error: hosts are texts
  createArticleKind({ fetchAllow: [8080] });
  // @ts-expect-error: variables are texts
  articleFromEnv({ OFFLINE_PACE_MS: 0 });
  return words;
}
