/** Article jobs: profile two pages, write an article that links from one to the other, check it, deliver it. */
import { ArticleInput, type ArticleOutput } from "#shared/article.ts";
import { defineKind, type AnyKind } from "#server/kinds/define.ts";
import { createAllowList } from "./page/allow-list.ts";
import type { Resolve } from "./page/address-guard.ts";
import type { FetchLimits } from "./page/fetch-html.ts";
import { createTurnstile } from "./page/turnstile.ts";
import { createRunTask, type RunTaskOptions } from "./threads/run-task.ts";
import { type Models, settingsFor } from "./write/writer-settings.ts";

export interface ArticleKindOptions {
  /** Hosts, with port and path where wanted, that may be fetched although they are private. */
  fetchAllow: readonly string[];
  models: Models;
  /** Between sentences of the offline writer. */
  offlinePaceMs: number;
  /** How long a model may send nothing. */
  llmStallMs?: number;
  fetchLimits?: Partial<FetchLimits>;
  threads?: RunTaskOptions;
  /** Looks names up; the system's resolver where not given. */
  resolve?: Resolve;
}

const LLM_STALL_MS = 60_000;
/**
 * Pages that are fetched, or wait for a thread with their bytes, in the whole process. While a page arrives it
 * can take twice its 2 MiB, so that all of them stay within 32 MiB.
 */
const MOST_PAGES = 8;

/** Throws where an entry of `fetchAllow` cannot be read. */
export function createArticleKind(options: ArticleKindOptions): AnyKind {
  const { models, offlinePaceMs, llmStallMs = LLM_STALL_MS, fetchLimits = {}, resolve } = options;
  const runTask = createRunTask(options.threads);
  const turnstile = createTurnstile(MOST_PAGES);
  const allow = createAllowList(options.fetchAllow);

  return defineKind<ArticleInput, ArticleOutput>({
    name: "article",
    description:
      "Writes an article for a publisher that links to a target page with an anchor text.",
    // A writer that cannot be had is refused at once, instead of by a job that fails.
    input: ArticleInput.superRefine(({ llmProvider }, context) => {
      const settings = settingsFor(llmProvider, models);
      if (typeof settings === "string") {
        context.addIssue({ code: "custom", path: ["llmProvider"], message: settings });
      }
    }),
    title: ({ publisherDomain, anchorText }) => `${anchorText} on ${publisherDomain}`,
    start: { progress: 10, message: "Job started - Profiling publisher and target" },
    async run(context) {
      // Parsers and model clients are loaded by the first job, not by the start of the server.
      const { runArticle } = await import("./run-article.ts");
      return await runArticle(
        context,
        { allow, limits: fetchLimits, resolve, runTask, turnstile },
        { models, offlinePaceMs, llmStallMs, runTask },
      );
    },
  });
}
