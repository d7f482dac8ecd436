/** Labels for the values of an article's fields. */
import type { LlmProvider, WritingStrategy } from "#shared/article/article.ts";

export const WRITERS: Record<LlmProvider, string> = {
  auto: "Best available",
  offline: "Offline (quotes both pages, no key needed)",
  anthropic: "Anthropic",
  openai: "OpenAI",
  google: "Google",
  compatible: "OpenAI-compatible server",
};

export const STRATEGIES: Record<WritingStrategy, string> = {
  multi_stage: "In stages: plan, sections, polish",
  single_shot: "In one go",
};

const languages = new Intl.DisplayNames("en", { type: "language" });

/** `code` comes from a job's output, which any program may have stored. */
export function languageName(code: string): string {
  if (code === "und") return "unknown language";
  try {
    return languages.of(code) ?? code;
  } catch {
    return code;
  }
}
