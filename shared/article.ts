/** Input and output of an article job. The article kind itself is in `server/kinds/article/`. */
import { z } from "zod";

export const LlmProvider = z.enum([
  "auto",
  "anthropic",
  "openai",
  "google",
  "compatible",
  "offline",
]);
export type LlmProvider = z.infer<typeof LlmProvider>;

export const WritingStrategy = z.enum(["multi_stage", "single_shot"]);
export type WritingStrategy = z.infer<typeof WritingStrategy>;

/** `example.com`, `example.com:8080`, `bücher.example/magazine`: no protocol, port and path optional. */
const DOMAIN = /^(?:[^\s\\/?#@:%[\]]+|\[[0-9a-f:]+\])(?::\d{1,5})?(?:\/[^\s?#]*)?$/i;
/** The host for requests: in lower case, with umlaut domains in Punycode. */
const HOST =
  /^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{1,63}|\[[0-9a-f:]+\])$/;
const NO_DOMAIN = "Must be a domain without protocol, such as example.com or example.com:8080";
/** NUL, ESC and the like, but not white space. */
const CONTROLS = /(?!\s)\p{Cc}/u;
const NO_CONTROLS = "Must not have control characters";
const Address = z.url({ hostname: HOST });

export const ArticleInput = z.strictObject({
  publisherDomain: z
    .string()
    .trim()
    .max(300)
    .regex(DOMAIN, { error: NO_DOMAIN, abort: true })
    .refine((domain) => Address.safeParse(`https://${domain}`).success, NO_DOMAIN)
    .meta({ title: "Publisher", description: "The site that publishes the article, no protocol" }),
  targetUrl: z
    .url({ protocol: /^https?$/, error: "Must be an http:// or https:// address" })
    .max(2000)
    .refine((url) => !CONTROLS.test(url), NO_CONTROLS)
    .meta({ title: "Target", description: "The page that the article links to" }),
  anchorText: z
    .string()
    .trim()
    .min(1, "Must not be empty")
    .max(500, "Must be 500 characters at most")
    .refine((text) => !CONTROLS.test(text), NO_CONTROLS)
    .meta({ title: "Anchor text", description: "The text of the link" }),
  llmProvider: LlmProvider.default("auto").meta({ title: "Writer" }),
  writingStrategy: WritingStrategy.default("multi_stage").meta({ title: "Strategy" }),
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/, "Must be two letters, such as SE")
    .transform((code) => code.toUpperCase())
    .optional()
    .meta({ title: "Country", description: "ISO 3166-1, two letters" }),
});
export type ArticleInput = z.infer<typeof ArticleInput>;

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

export const PageProfile = z.object({
  /** `url` as requested, `finalUrl` after redirects. */
  url: z.string(),
  finalUrl: z.url({ protocol: /^https?$/ }),
  title: z.string(),
  description: z.string(),
  headings: z.array(z.string()),
  /** Beginning of the main text. */
  excerpt: z.string(),
  words: z.int(),
  /** ISO 639-1, or `und` for an unknown language. */
  language: z.string(),
  keyTerms: z.array(z.string()),
  tone: z.enum(["formal", "neutral", "casual"]),
});
export type PageProfile = z.infer<typeof PageProfile>;

export const QualityVerdict = z.enum(["passed", "mended", "failed", "skipped"]);
export const QualityRule = z.object({
  id: z.string(),
  label: z.string(),
  verdict: QualityVerdict,
  /** The measured and the allowed value, as text for people. */
  figure: z.string(),
  limit: z.string(),
});
export type QualityRule = z.infer<typeof QualityRule>;

/** A summary for people. Skipped rules are not counted; mended ones count as passed. */
export function tally(rules: readonly QualityRule[]): string {
  const measured = rules.filter(({ verdict }) => verdict !== "skipped").length;
  const failed = rules.filter(({ verdict }) => verdict === "failed").length;
  return failed === 0 ? `All ${measured} checks passed` : `${failed} of ${measured} checks failed`;
}

export const QualityReport = z.object({ passed: z.boolean(), rules: z.array(QualityRule) });
export type QualityReport = z.infer<typeof QualityReport>;

export const ArticleOutput = z.object({
  title: z.string(),
  language: z.string(),
  markdown: z.string(),
  /** Sanitised; pages that render it must sanitise it again, because any program may have stored it. */
  html: z.string(),
  words: z.int(),
  writer: z.object({
    provider: LlmProvider,
    model: z.string().nullable(),
    strategy: WritingStrategy,
  }),
  report: QualityReport,
  publisher: PageProfile,
  target: PageProfile,
  /** Milliseconds. */
  timings: z.object({ profile: z.number(), write: z.number(), check: z.number() }),
  cost: z.object({ inputTokens: z.int(), outputTokens: z.int() }),
});
export type ArticleOutput = z.infer<typeof ArticleOutput>;
