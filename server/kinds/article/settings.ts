/** The article's environment variables, and what it makes of them. */
import {
  address,
  key,
  list,
  text,
  type SettingsOf,
  type Variables,
  wholeNumber,
} from "#shared/variables.ts";
import type { ArticleKindOptions } from "./kind.ts";
import { createAllowList } from "./page/allow-list.ts";
import { FETCH_LIMITS } from "./page/fetch-limits.ts";

/** `host`, `host:port`, or `host:port/path/`. */
const allowEntries = list.superRefine((all, context) => {
  try {
    createAllowList(all);
  } catch (error) {
    const reason = error instanceof TypeError ? error.message : String(error);
    const message = `must be hosts with commas between, such as 10.0.0.5:8080: ${reason}`;
    context.addIssue({ code: "custom", message });
  }
});

export const ARTICLE_VARIABLES = {
  FETCH_ALLOW: {
    schema: allowEntries,
    unset: "this server's own `/samples/`",
    about:
      "Private hosts that articles may be made from all the same: `host`, `host:port` or `host:port/path/`.",
  },
  FETCH_TIMEOUT_MS: {
    schema: wholeNumber(1000, 300_000),
    default: String(FETCH_LIMITS.timeoutMs),
    about:
      "Time for a page: all addresses that are tried, redirects, and reading. Slow pages delay those of other jobs.",
  },
  ANTHROPIC_API_KEY: { schema: key, unset: "not used", about: "Writes with Anthropic's models." },
  OPENAI_API_KEY: {
    schema: key,
    unset: "not used",
    about: "Writes with OpenAI's models, or opens LLM_BASE_URL.",
  },
  GOOGLE_API_KEY: { schema: key, unset: "not used", about: "Writes with Google's models." },
  LLM_BASE_URL: {
    schema: address(/^https?$/, "must be an http:// or https:// address"),
    unset: "not used",
    about: "Writes with any server that speaks OpenAI's protocol.",
  },
  LLM_MODEL: { schema: text, unset: "chosen by provider", about: "The model to write with." },
  OFFLINE_PACE_MS: {
    schema: wholeNumber(0, 10_000),
    default: "25",
    about:
      "The offline writer's pause after each sentence, so that people can follow it; 0 for bulk.",
  },
} as const satisfies Variables;

export type ArticleSettings = SettingsOf<typeof ARTICLE_VARIABLES>;

/** `samples`: entries for where FETCH_ALLOW is not set; none by default. */
export function articleOptions(
  settings: ArticleSettings,
  samples: ArticleKindOptions["fetchAllow"] = [],
): ArticleKindOptions {
  return {
    fetchAllow: settings.FETCH_ALLOW ?? samples,
    fetchLimits: { timeoutMs: settings.FETCH_TIMEOUT_MS },
    models: {
      anthropicApiKey: settings.ANTHROPIC_API_KEY,
      openaiApiKey: settings.OPENAI_API_KEY,
      googleApiKey: settings.GOOGLE_API_KEY,
      llmBaseUrl: settings.LLM_BASE_URL,
      llmModel: settings.LLM_MODEL,
    },
    offlinePaceMs: settings.OFFLINE_PACE_MS,
  };
}
