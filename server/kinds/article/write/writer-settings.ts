/**
 * The writers that the configuration enables, and their settings. Separate from the writers, so that the server can
 * list them and refuse unavailable ones before any model client is loaded.
 */
import { LLM_PROVIDERS, type LlmProvider } from "#shared/article/article.ts";

export interface Models {
  anthropicApiKey?: string | undefined;
  openaiApiKey?: string | undefined;
  googleApiKey?: string | undefined;
  /** Base URL of an OpenAI-compatible server; `openaiApiKey`, if set, is its key. */
  llmBaseUrl?: string | undefined;
  /** Overrides the provider's default model. */
  llmModel?: string | undefined;
}

export type WriterName = Exclude<LlmProvider, "auto">;

export type WriterSettings =
  | { provider: "offline" }
  | { provider: "anthropic" | "openai" | "google"; apiKey: string; modelId: string | undefined }
  | {
      provider: "compatible";
      baseUrl: string;
      apiKey: string | undefined;
      modelId: string;
    };

/** In the order in which "auto" prefers them. */
const WRITERS = [
  "anthropic",
  "openai",
  "google",
  "compatible",
  "offline",
] as const satisfies WriterName[];

/** Writers that a job can ask for, in the order in which "auto" prefers them. */
export function usableWriters(models: Models): WriterName[] {
  return WRITERS.filter((writer) => typeof settingsFor(writer, models) !== "string");
}

/** Why no article can be written by the writer; `undefined` for a usable writer, and for what is no writer at all. */
export function refusalOf(asked: unknown, models: Models): string | undefined {
  const writer = LLM_PROVIDERS.find((name) => name === asked);
  if (writer === undefined) return undefined;
  const settings = settingsFor(writer, models);
  return typeof settings === "string" ? settings : undefined;
}

/** Settings of the requested writer, or a message for people that says why it is unavailable. */
export function settingsFor(asked: LlmProvider, models: Models): WriterSettings | string {
  const provider = asked === "auto" ? firstConfigured(models) : asked;
  const { llmBaseUrl: baseUrl, llmModel: modelId } = models;
  const missing = (what: string) =>
    `The writer "${provider}" is not set up on this server: ${what}, or choose another writer`;
  switch (provider) {
    case "offline":
      return { provider };
    case "anthropic": {
      const apiKey = models.anthropicApiKey;
      return apiKey === undefined
        ? missing("set ANTHROPIC_API_KEY")
        : { provider, apiKey, modelId };
    }
    case "openai": {
      const apiKey = models.openaiApiKey;
      if (apiKey === undefined) return missing("set OPENAI_API_KEY");
      // With `LLM_BASE_URL` set, the key is that server's and must not be sent to OpenAI.
      if (baseUrl !== undefined)
        return missing("OPENAI_API_KEY is the key of LLM_BASE_URL, so unset LLM_BASE_URL");
      return { provider, apiKey, modelId };
    }
    case "google": {
      const apiKey = models.googleApiKey;
      return apiKey === undefined ? missing("set GOOGLE_API_KEY") : { provider, apiKey, modelId };
    }
    case "compatible":
      if (baseUrl === undefined) return missing("set LLM_BASE_URL");
      if (modelId === undefined) return missing("set LLM_MODEL");
      return { provider, baseUrl, apiKey: models.openaiApiKey, modelId };
  }
}

/** Picks "compatible" where only its model is missing, so that the message names what to set. */
function firstConfigured(models: Models): WriterName {
  const [best] = usableWriters(models);
  return best === "offline" && models.llmBaseUrl !== undefined ? "compatible" : (best ?? "offline");
}
