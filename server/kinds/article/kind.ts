/** Article jobs: profile two pages, write an article that links from one to the other, check it, deliver it. */
import { ArticleInput, type ArticleOutput } from "#shared/article.ts";
import { defineKind, type AnyKind, type Outcome, type RunContext } from "#server/kinds/define.ts";
import type { Brief, Desk } from "./brief.ts";
import { parseArticle, proseOf, titleOf } from "./check/article.ts";
import { check, failedRules } from "./check/check.ts";
import { articleHtml } from "./deliver/html.ts";
import { createAllowList } from "./page/allow-list.ts";
import { resolveWithSystem, type Resolve } from "./page/address-guard.ts";
import { FETCH_LIMITS, type FetchHtmlOptions, type FetchLimits } from "./page/fetch-html.ts";
import type { Page } from "./page/page.ts";
import { profilePublisher, profileTarget } from "./page/profile-page.ts";
import { languageName } from "./text/language.ts";
import { countWords } from "./text/words.ts";
import type { Models } from "./write/llm/models.ts";
import { chooseWriter, type WriterOptions } from "./write/writers.ts";

export interface ArticleKindOptions {
  /** Hosts, with port and path where wanted, that may be fetched although they are private. */
  fetchAllow: readonly string[];
  models: Models;
  /** Between sentences of the offline writer. */
  offlinePaceMs: number;
  /** How long a model may send nothing; a minute where not given. */
  llmStallMs?: number;
  fetchLimits?: Partial<FetchLimits>;
  resolve?: Resolve;
}

/** Percent at which each stage begins. Ten is the start of the attempt. */
const AT = {
  publisher: 12,
  target: 16,
  profiled: 20,
  write: 22,
  written: 78,
  check: 80,
  checked: 88,
  deliver: 95,
};

export function createArticleKind(options: ArticleKindOptions): AnyKind {
  const pages: FetchHtmlOptions = {
    allow: createAllowList(options.fetchAllow),
    resolve: options.resolve ?? resolveWithSystem,
    limits: { ...FETCH_LIMITS, ...options.fetchLimits },
  };

  const writers: WriterOptions = {
    models: options.models,
    offlinePaceMs: options.offlinePaceMs,
    llmStallMs: options.llmStallMs ?? 60_000,
  };

  return defineKind<ArticleInput, ArticleOutput>({
    name: "article",
    description:
      "Writes an article for a publisher that links to a target page with an anchor text.",
    input: ArticleInput,
    title: ({ publisherDomain, anchorText }) => `${anchorText} on ${publisherDomain}`,
    start: { progress: 10, message: "Job started - Profiling publisher and target" },
    run: (context) => runArticle(context, pages, writers),
  });
}

async function runArticle(
  context: RunContext<ArticleInput>,
  pages: FetchHtmlOptions,
  writers: WriterOptions,
): Promise<Outcome<ArticleOutput>> {
  const { input, signal } = context;
  const watch = stopwatch();
  // Before any work, so that a missing key is told at once.
  const writer = chooseWriter(input, writers);

  await context.progress(AT.publisher, `Reading the publisher, ${input.publisherDomain}`);
  const publisher = await profilePublisher(input.publisherDomain, signal, pages);
  await context.progress(
    AT.target,
    `Read the publisher: ${summary(publisher)}. Reading the target`,
  );
  const target = await profileTarget(input.targetUrl, signal, pages);
  await context.progress(AT.profiled, `Read the target: ${summary(target)}`);
  const brief: Brief = {
    publisher,
    target,
    targetUrl: input.targetUrl,
    anchorText: input.anchorText,
    country: input.country,
    language: publisher.profile.language,
  };
  const profile = watch();

  const desk: Desk = {
    signal,
    draft: (text) => context.draft(text),
    step: (done, message) =>
      context.progress(Math.floor(AT.write + done * (AT.written - AT.write)), message),
  };
  const written = await writer.write(brief, desk);
  const write = watch();

  await context.progress(AT.check, "Content generated - Running quality checks");
  const { markdown, report } = check(written.markdown, brief, writer.provider === "offline");
  signal.throwIfAborted();
  const failed = failedRules(report.rules);
  await context.progress(AT.checked, verdictOf(report.rules));

  const article = parseArticle(markdown);
  const output: ArticleOutput = {
    title: titleOf(article),
    language: brief.language,
    markdown,
    html: articleHtml(markdown),
    words: countWords(proseOf(article)),
    writer: { provider: writer.provider, model: writer.model, strategy: input.writingStrategy },
    report,
    publisher: publisher.profile,
    target: target.profile,
    timings: { profile, write, check: watch() },
    cost: { inputTokens: written.inputTokens, outputTokens: written.outputTokens },
  };
  if (failed.length > 0) {
    const reasons = failed.map(
      ({ label, figure, limit }) => `${label}: ${figure} (allowed: ${limit})`,
    );
    return { status: "blocked", message: `Quality checks failed. ${reasons.join(". ")}`, output };
  }
  await context.progress(AT.deliver, `Delivering ${output.words} words`);
  return { status: "delivered", message: "Article successfully generated and delivered", output };
}

function summary({ profile }: Page): string {
  return `"${profile.title}", ${profile.words} words, ${languageName(profile.language)}, ${profile.tone}`;
}

function verdictOf(rules: ArticleOutput["report"]["rules"]): string {
  const count = (verdict: string): number =>
    rules.filter((rule) => rule.verdict === verdict).length;
  const parts = [`${count("passed")} of ${rules.length} quality rules passed`];
  if (count("mended") > 0) parts.push(`${count("mended")} mended`);
  if (count("failed") > 0) parts.push(`${count("failed")} failed`);
  return parts.join(", ");
}

/** Each call: milliseconds since the one before. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const elapsed = Math.round(now - last);
    last = now;
    return elapsed;
  };
}
