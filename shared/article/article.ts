/** Input and output of an article job. The article kind itself is in `server/kinds/article/`. */

export const LLM_PROVIDERS = [
  "auto",
  "anthropic",
  "openai",
  "google",
  "compatible",
  "offline",
] as const;
export type LlmProvider = (typeof LLM_PROVIDERS)[number];

export const WRITING_STRATEGIES = ["multi_stage", "single_shot"] as const;
export type WritingStrategy = (typeof WRITING_STRATEGIES)[number];

export interface ArticleInput {
  publisherDomain: string;
  targetUrl: string;
  anchorText: string;
  llmProvider: LlmProvider;
  writingStrategy: WritingStrategy;
  country?: string | undefined;
}

/** Column names in CSV files, including those of the older system, and the field that each fills. */
export const ARTICLE_CSV_COLUMNS: ReadonlyMap<string, keyof ArticleInput> = new Map([
  ["publisher", "publisherDomain"],
  ["publisher_domain", "publisherDomain"],
  ["publication_domain", "publisherDomain"],
  ["publication_url", "publisherDomain"],
  ["target", "targetUrl"],
  ["target_url", "targetUrl"],
  ["target_page", "targetUrl"],
  ["link_target_page", "targetUrl"],
  ["anchor", "anchorText"],
  ["anchor_text", "anchorText"],
  ["llm_provider", "llmProvider"],
  ["strategy", "writingStrategy"],
  ["writing_strategy", "writingStrategy"],
  ["country", "country"],
]);

export interface PageProfile {
  /** `url` as requested, `finalUrl` after redirects. */
  url: string;
  finalUrl: string;
  title: string;
  description: string;
  headings: string[];
  /** Beginning of the main text. */
  excerpt: string;
  words: number;
  /** ISO 639-1, or `und` for an unknown language. */
  language: string;
  keyTerms: string[];
  tone: "formal" | "neutral" | "casual";
}

export interface QualityRule {
  id: string;
  label: string;
  verdict: "passed" | "mended" | "failed" | "skipped";
  /** The measured and the allowed value, as text for people. */
  figure: string;
  limit: string;
}

/** A summary for people. Skipped rules are not counted; mended ones count as passed. */
export function tally(rules: readonly QualityRule[]): string {
  const measured = rules.filter(({ verdict }) => verdict !== "skipped").length;
  const failed = rules.filter(({ verdict }) => verdict === "failed").length;
  return failed === 0 ? `All ${measured} checks passed` : `${failed} of ${measured} checks failed`;
}

export interface QualityReport {
  passed: boolean;
  rules: QualityRule[];
}

export interface ArticleOutput {
  title: string;
  language: string;
  markdown: string;
  /** Sanitised; pages that render it must sanitise it again, because any program may have stored it. */
  html: string;
  words: number;
  writer: {
    provider: LlmProvider;
    model: string | null;
    strategy: WritingStrategy;
  };
  report: QualityReport;
  publisher: PageProfile;
  target: PageProfile;
  /** Milliseconds. */
  timings: { profile: number; write: number; check: number };
  cost: { inputTokens: number; outputTokens: number };
}
