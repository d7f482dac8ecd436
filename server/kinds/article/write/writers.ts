/** Which writer an article gets. */
import type { ArticleInput, LlmProvider } from "#shared/article.ts";
import type { Write } from "#server/kinds/article/brief.ts";
import { createAsk } from "./llm/ask.ts";
import { createLlmWriter } from "./llm/llm-writer.ts";
import { chooseModel } from "./llm/models.ts";
import { createOfflineWriter } from "./offline/offline-writer.ts";
import type { Models } from "./writer-settings.ts";

export interface Writer {
  provider: LlmProvider;
  model: string | null;
  write: Write;
}

export interface WriterOptions {
  models: Models;
  /** Between sentences of the offline writer. */
  offlinePaceMs: number;
  /** How long a model may send nothing. */
  llmStallMs: number;
}

/** Throws `LLM_NOT_CONFIGURED` where the writer that was asked for cannot be had. */
export function chooseWriter(input: ArticleInput, options: WriterOptions): Writer {
  const chosen = chooseModel(input.llmProvider, options.models);
  if (chosen === undefined) {
    return { provider: "offline", model: null, write: createOfflineWriter(options.offlinePaceMs) };
  }
  const ask = createAsk(chosen, options.llmStallMs);
  return {
    provider: chosen.provider,
    model: chosen.modelId,
    write: createLlmWriter(ask, input.writingStrategy),
  };
}
