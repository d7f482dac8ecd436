/** Article jobs: profile two pages, write an article that links from one to the other, check it, deliver it. */
import { ArticleOutputSchema } from "#shared/article/article.schema.ts";
import { defineKind } from "#server/kinds/define.ts";
import { articleInputFor } from "./input.ts";
import { createAllowList } from "./page/allow-list.ts";
import type { Resolve } from "./page/resolve.ts";
import type { FetchLimits } from "./page/fetch-limits.ts";
import { createSemaphore } from "./page/semaphore.ts";
import { createRunTask, type RunTaskOptions } from "./threads/run-task.ts";
import type { Models } from "./write/writer-settings.ts";

export interface ArticleKindOptions {
  /**
   * Hosts that may be fetched although their addresses are private, optionally with port and path: none by default. Each job
   * calls the function, and an invalid entry in its answer ends the job as a fault of the kind.
   */
  fetchAllow?: readonly string[] | (() => Promise<readonly string[]>);
  /** Language models to write with: none by default, so that the offline writer writes. */
  models?: Models;
  /** Pause between sentences of the offline writer, in milliseconds: none by default. */
  offlinePaceMs?: number;
  /** Longest silence of a model's server before the job is retried. */
  llmStallMs?: number;
  fetchLimits?: Partial<FetchLimits>;
  threads?: RunTaskOptions;
  /** Resolves host names; the system's resolver by default. */
  resolve?: Resolve;
}

const LLM_STALL_MS = 60_000;
/**
 * Pages per process that are being fetched or wait, fetched, for a thread. A page can take twice its 2 MiB while
 * it arrives, so this bounds their memory to 32 MiB.
 */
const MOST_PAGES = 8;

/** Creates the kind `article` with its own thread pool. Throws a `TypeError` for an invalid entry of a list `fetchAllow`. */
export function createArticleKind(options: ArticleKindOptions = {}) {
  const { models = {}, fetchAllow = [], fetchLimits = {}, resolve } = options;
  const { offlinePaceMs = 0, llmStallMs = LLM_STALL_MS } = options;
  const runTask = createRunTask(options.threads);
  const semaphore = createSemaphore(MOST_PAGES);
  const allowList = createAllow(fetchAllow);

  return defineKind({
    name: "article",
    description:
      "Writes an article for a publisher that links to a target page with an anchor text.",
    // Refuses an unconfigured writer now; otherwise the job would fail later.
    input: articleInputFor(models),
    output: ArticleOutputSchema,
    title: ({ publisherDomain, anchorText }) => `${anchorText} on ${publisherDomain}`,
    start: { progress: 10, message: "Job started - Profiling publisher and target" },
    async run(context) {
      // The first job loads the parsers and model clients, so that the server starts fast.
      const { runArticle } = await import("./run-article.ts");
      return await runArticle(
        context,
        { allow: await allowList(), limits: fetchLimits, resolve, runTask, semaphore },
        { models, offlinePaceMs, llmStallMs, runTask },
      );
    },
  });
}

function createAllow(entries: NonNullable<ArticleKindOptions["fetchAllow"]>) {
  if (typeof entries === "function") return async () => createAllowList(await entries());
  const allow = createAllowList(entries);
  return async () => allow;
}
