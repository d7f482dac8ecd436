/** Which model an article is written with: the provider that was asked for, else the first one that has a key. */
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModel } from "ai";
import type { LlmProvider } from "#shared/article.ts";
import { Failure } from "#server/kinds/define.ts";

export interface Models {
  anthropicApiKey?: string | undefined;
  openaiApiKey?: string | undefined;
  googleApiKey?: string | undefined;
  /** An OpenAI-compatible server; `openaiApiKey`, where set, opens it. */
  llmBaseUrl?: string | undefined;
  /** Instead of the provider's default. */
  llmModel?: string | undefined;
}

export type HostedProvider = Exclude<LlmProvider, "auto" | "offline">;

export interface ChosenModel {
  provider: HostedProvider;
  modelId: string;
  model: LanguageModel;
  /** The variable that its key is set with. */
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

/** `undefined`: write offline. Throws `LLM_NOT_CONFIGURED` where what was asked for cannot be had. */
export function chooseModel(asked: LlmProvider, models: Models): ChosenModel | undefined {
  const provider = asked === "auto" ? firstConfigured(models) : asked;
  return provider === "offline" ? undefined : open(provider, models);
}

function firstConfigured(models: Models): HostedProvider | "offline" {
  if (models.anthropicApiKey !== undefined) return "anthropic";
  // With a server of one's own the key is that server's.
  if (models.openaiApiKey !== undefined && models.llmBaseUrl === undefined) return "openai";
  if (models.googleApiKey !== undefined) return "google";
  return models.llmBaseUrl === undefined ? "offline" : "compatible";
}

function open(provider: HostedProvider, models: Models): ChosenModel {
  const keyVariable = KEY_VARIABLES[provider];
  const chosen = (modelId: string, model: LanguageModel): ChosenModel => ({
    provider,
    modelId,
    model,
    keyVariable,
  });
  switch (provider) {
    case "anthropic": {
      const modelId = models.llmModel ?? DEFAULT_MODELS.anthropic;
      const apiKey = needed(models.anthropicApiKey, provider, keyVariable);
      return chosen(modelId, createAnthropic({ apiKey })(modelId));
    }
    case "openai": {
      const modelId = models.llmModel ?? DEFAULT_MODELS.openai;
      const apiKey = needed(models.openaiApiKey, provider, keyVariable);
      return chosen(modelId, createOpenAI({ apiKey })(modelId));
    }
    case "google": {
      const modelId = models.llmModel ?? DEFAULT_MODELS.google;
      const apiKey = needed(models.googleApiKey, provider, keyVariable);
      return chosen(modelId, createGoogle({ apiKey })(modelId));
    }
    case "compatible": {
      const baseURL = needed(models.llmBaseUrl, provider, "LLM_BASE_URL");
      const modelId = needed(models.llmModel, provider, "LLM_MODEL");
      const server = createOpenAICompatible({
        name: "compatible",
        baseURL,
        includeUsage: true,
        ...(models.openaiApiKey === undefined ? {} : { apiKey: models.openaiApiKey }),
      });
      return chosen(modelId, server(modelId));
    }
  }
}

function needed(value: string | undefined, provider: HostedProvider, variable: string): string {
  if (value !== undefined) return value;
  throw new Failure(
    "LLM_NOT_CONFIGURED",
    `The writer "${provider}" is not set up on this server: set ${variable}, or choose another writer`,
  );
}
