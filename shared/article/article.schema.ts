import { z } from "zod";
import {
  type ArticleInput,
  type ArticleOutput,
  LLM_PROVIDERS,
  WRITING_STRATEGIES,
} from "./article.ts";
import { schemaFor } from "#shared/schema-for.ts";

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

export const ArticleInputSchema = schemaFor<ArticleInput>()(
  z.strictObject({
    publisherDomain: z
      .string()
      .trim()
      .max(300)
      .regex(DOMAIN, { error: NO_DOMAIN, abort: true })
      .refine((domain) => Address.safeParse(`https://${domain}`).success, NO_DOMAIN)
      .meta({
        title: "Publisher",
        description: "The site that publishes the article, no protocol",
      }),
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
    llmProvider: z.enum(LLM_PROVIDERS).default("auto").meta({ title: "Writer" }),
    writingStrategy: z.enum(WRITING_STRATEGIES).default("multi_stage").meta({ title: "Strategy" }),
    country: z
      .string()
      .regex(/^[A-Za-z]{2}$/, "Must be two letters, such as SE")
      .transform((code) => code.toUpperCase())
      .optional()
      .meta({ title: "Country", description: "ISO 3166-1, two letters" }),
  }),
);

const PageProfileSchema = z.object({
  url: z.string(),
  finalUrl: z.url({ protocol: /^https?$/ }),
  title: z.string(),
  description: z.string(),
  headings: z.array(z.string()),
  excerpt: z.string(),
  words: z.int(),
  language: z.string(),
  keyTerms: z.array(z.string()),
  tone: z.enum(["formal", "neutral", "casual"]),
});

const QualityReportSchema = z.object({
  passed: z.boolean(),
  rules: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      verdict: z.enum(["passed", "mended", "failed", "skipped"]),
      figure: z.string(),
      limit: z.string(),
    }),
  ),
});

export const ArticleOutputSchema = schemaFor<ArticleOutput>()(
  z.object({
    title: z.string(),
    language: z.string(),
    markdown: z.string(),
    html: z.string(),
    words: z.int(),
    writer: z.object({
      provider: z.enum(LLM_PROVIDERS),
      model: z.string().nullable(),
      strategy: z.enum(WRITING_STRATEGIES),
    }),
    report: QualityReportSchema,
    publisher: PageProfileSchema,
    target: PageProfileSchema,
    timings: z.object({ profile: z.number(), write: z.number(), check: z.number() }),
    cost: z.object({ inputTokens: z.int(), outputTokens: z.int() }),
  }),
);
