/** Chooses the writer of an article. */
import type { ArticleInput, LlmProvider } from "#shared/article/article.ts";
import type { Write } from "#server/kinds/article/brief.ts";
import { createAsk } from "./llm/ask.ts";
import { createLlmWriter } from "./llm/llm-writer.ts";
import { chooseModel } from "./llm/models.ts";
import { createOfflineWriter } from "./offline/offline-writer.ts";
import type { RunTask } from "#server/kinds/article/threads/run-task.ts";
import type { Models } from "./writer-settings.ts";

export interface Writer {
  provider: LlmProvider;
  model: string | null;
  write: Write;
}

export interface WriterOptions {
  models: Models;
  /** Pause between sentences of the offline writer. */
  offlinePaceMs: number;
  /** Longest silence of a model's server before the job is retried. */
  llmStallMs: number;
  runTask: RunTask;
}

/** Throws `LLM_NOT_CONFIGURED` where the requested writer is unavailable. */
export function chooseWriter(input: ArticleInput, options: WriterOptions): Writer {
  const { models, offlinePaceMs, llmStallMs, runTask } = options;
  const chosen = chooseModel(input.llmProvider, models);
  if (chosen === undefined) {
    return { provider: "offline", model: null, write: createOfflineWriter(offlinePaceMs, runTask) };
  }
  const ask = createAsk(chosen, llmStallMs);
  return {
    provider: chosen.provider,
    model: chosen.modelId,
    write: createLlmWriter(ask, input.writingStrategy, runTask),
  };
}
