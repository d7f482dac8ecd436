/** Chooses the model that writes an article. */
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModel } from "ai";
import type { LlmProvider } from "#shared/article/article.ts";
import {
  type Models,
  settingsFor,
  type WriterName,
  type WriterSettings,
} from "#server/kinds/article/write/writer-settings.ts";
import { Failure } from "#server/kinds/define.ts";
import { createBoundedFetch } from "./bounded-fetch.ts";

export type HostedProvider = Exclude<WriterName, "offline">;

export interface ChosenModel {
  provider: HostedProvider;
  modelId: string;
  model: LanguageModel;
  /** Environment variable that holds its API key. */
  keyVariable: string;
}

const DEFAULT_MODELS = {
  anthropic: "claude-sonnet-5-5",
  openai: "gpt-5.4",
  google: "gemini-flash-latest",
} as const;

const KEY_VARIABLES: Record<HostedProvider, string> = {
  anthropic: "ANTHROPIC_API_KEY",
  openai: "OPENAI_API_KEY",
  google: "GOOGLE_API_KEY",
  compatible: "OPENAI_API_KEY",
};

/** Returns `undefined` for the offline writer. Throws `LLM_NOT_CONFIGURED` for an unconfigured provider. */
export function chooseModel(asked: LlmProvider, models: Models): ChosenModel | undefined {
  const settings = settingsFor(asked, models);
  if (typeof settings === "string") throw new Failure("LLM_NOT_CONFIGURED", settings);
  return settings.provider === "offline" ? undefined : open(settings);
}

function open(settings: Exclude<WriterSettings, { provider: "offline" }>): ChosenModel {
  const { provider } = settings;
  const fetch = createBoundedFetch();
  const chosen = (modelId: string, model: LanguageModel): ChosenModel => ({
    provider,
    modelId,
    model,
    keyVariable: KEY_VARIABLES[provider],
  });
  if (provider === "compatible") {
    const { baseUrl: baseURL, apiKey, modelId } = settings;
    const server = createOpenAICompatible({
      name: "compatible",
      baseURL,
      includeUsage: true,
      fetch,
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    return chosen(modelId, server(modelId));
  }
  const { apiKey, modelId = DEFAULT_MODELS[provider] } = settings;
  switch (provider) {
    case "anthropic":
      return chosen(modelId, createAnthropic({ apiKey, fetch })(modelId));
    case "openai":
      return chosen(modelId, createOpenAI({ apiKey, fetch })(modelId));
    case "google":
      return chosen(modelId, createGoogle({ apiKey, fetch })(modelId));
  }
}
