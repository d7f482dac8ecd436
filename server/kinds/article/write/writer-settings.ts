/**
 * Which writers can be used, and with what. Apart from the writers themselves, so that a server can say so, and
 * refuse what it cannot do, before any model client is loaded.
 */
import type { LlmProvider } from "#shared/article.ts";

export interface Models {
  anthropicApiKey?: string | undefined;
  openaiApiKey?: string | undefined;
  googleApiKey?: string | undefined;
  /** An OpenAI-compatible server; `openaiApiKey`, where set, opens it. */
  llmBaseUrl?: string | undefined;
  /** Instead of the provider's default. */
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

/** As "auto" tries them. */
const WRITERS = [
  "anthropic",
  "openai",
  "google",
  "compatible",
  "offline",
] as const satisfies WriterName[];

/** Those that can be asked for, in the order in which "auto" prefers them. */
export function usableWriters(models: Models): WriterName[] {
  return WRITERS.filter((writer) => typeof settingsFor(writer, models) !== "string");
}

/** What the writer that was asked for works with; a text says to people why it cannot be had. */
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
      // With a server of one's own the key is that server's, and nobody else may see it.
      if (baseUrl !== undefined) return missing("OPENAI_API_KEY opens LLM_BASE_URL, so unset that");
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

/** A server that was named without its model is meant, and told what is missing. */
function firstConfigured(models: Models): WriterName {
  const [best] = usableWriters(models);
  return best === "offline" && models.llmBaseUrl !== undefined ? "compatible" : (best ?? "offline");
}
