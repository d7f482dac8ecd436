/** Which writer an article gets. */
import type { ArticleInput, LlmProvider } from "#shared/article.ts";
import type { Write } from "#server/kinds/article/brief.ts";
import { Failure } from "#server/kinds/define.ts";
import { createOfflineWriter } from "./offline/offline-writer.ts";

export interface Models {
  anthropicApiKey?: string | undefined;
  openaiApiKey?: string | undefined;
  googleApiKey?: string | undefined;
  llmBaseUrl?: string | undefined;
  llmModel?: string | undefined;
}

export interface Writer {
  provider: LlmProvider;
  model: string | null;
  write: Write;
}

export function chooseWriter(input: ArticleInput, _models: Models, paceMs: number): Writer {
  if (input.llmProvider !== "auto" && input.llmProvider !== "offline")
    throw new Failure("LLM_NOT_CONFIGURED", "x");
  return { provider: "offline", model: null, write: createOfflineWriter(paceMs) };
}
