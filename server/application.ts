/** The application that this repository starts: Jobwire with the article kind, its variables and its sample pages. */
import {
  ARTICLE_VARIABLES,
  articleOptions,
  createArticleKind,
  SAMPLES,
  samplesOf,
} from "./kinds/article/index.ts";
import type { Application } from "./program.ts";

export const application: Application<typeof ARTICLE_VARIABLES> = {
  variables: ARTICLE_VARIABLES,
  parts(settings, serverUrl) {
    const article = articleOptions(settings, async () => samplesOf(await serverUrl));
    return { kinds: [createArticleKind(article)], sites: [SAMPLES] };
  },
};
