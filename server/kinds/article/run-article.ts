/** Runs one article job, stage by stage. */
import {
  type ArticleInput,
  type ArticleOutput,
  type QualityRule,
  tally,
} from "#shared/article/article.ts";
import { blocked, delivered, type Outcome, type RunContext } from "#server/kinds/define.ts";
import type { Brief, Desk } from "./brief.ts";
import { LONGEST_MESSAGE } from "./article-limits.ts";
import { THRESHOLDS } from "./check/thresholds.ts";
import { resolveWithSystem, type Resolve } from "./page/resolve.ts";
import type { AllowList } from "./page/allow-list.ts";
import { FETCH_LIMITS, type FetchLimits } from "./page/fetch-limits.ts";
import type { Page } from "./page/page.ts";
import { profilePublisher, profileTarget } from "./page/profile-page.ts";
import type { Semaphore } from "./page/semaphore.ts";
import { cutText } from "#shared/cut-text.ts";
import { languageName } from "./text/language-name.ts";
import type { RunTask } from "./threads/run-task.ts";
import { chooseWriter, type WriterOptions } from "./write/writers.ts";

export interface PageOptions {
  allow: AllowList;
  limits: Partial<FetchLimits>;
  resolve: Resolve | undefined;
  runTask: RunTask;
  semaphore: Semaphore;
}

/** Percent at which each stage begins. The attempt starts at 10. */
const AT = {
  publisher: 12,
  target: 16,
  profiled: 20,
  thin: 21,
  write: 22,
  written: 78,
  check: 80,
  checked: 88,
  deliver: 95,
};

export async function runArticle(
  context: RunContext<ArticleInput>,
  pageOptions: PageOptions,
  writers: WriterOptions,
): Promise<Outcome<ArticleOutput>> {
  const { input, signal } = context;
  const pages = {
    ...pageOptions,
    limits: { ...FETCH_LIMITS, ...pageOptions.limits },
    resolve: pageOptions.resolve ?? resolveWithSystem,
    now: () => performance.now(),
  };
  /** Messages quote titles and headings of pages, so they are cut. */
  const progress = (percent: number, message: string): Promise<void> =>
    context.progress(percent, cutText(message, LONGEST_MESSAGE));
  const watch = stopwatch();
  // First of all, so that a missing key fails the job at once.
  const writer = chooseWriter(input, writers);

  await progress(AT.publisher, `Reading the publisher, ${input.publisherDomain}`);
  const publisher = await profilePublisher(input.publisherDomain, signal, pages);
  await progress(AT.target, `Read the publisher: ${summary(publisher)}. Reading the target`);
  const target = await profileTarget(input.targetUrl, signal, pages);
  await progress(AT.profiled, `Read the target: ${summary(target)}`);
  const thin = thinPages(publisher, target);
  if (thin !== undefined) {
    // Too little text to quote cannot be mended, so the outcome is already known.
    const end =
      writer.provider === "offline" ? "will be blocked for a person to decide" : "may be thin";
    await progress(AT.thin, `${thin}; the article ${end}`);
  }
  const brief: Brief = {
    publisher,
    target,
    targetUrl: input.targetUrl,
    anchorText: input.anchorText,
    country: input.country,
    language: publisher.profile.language,
  };
  const profile = watch();
  context.log("debug", `Read the pages of the publisher and the target in ${profile} ms`);

  const desk: Desk = {
    signal,
    traceparent: context.traceparent,
    draft: (text) => context.draft(text),
    step: (done, message) =>
      progress(Math.floor(AT.write + done * (AT.written - AT.write)), message),
  };
  const written = await writer.write(brief, desk);
  const write = watch();
  const { provider, model } = writer;
  const how =
    model === null
      ? `the built-in writer in ${write} ms`
      : `${provider}, ${model}, in ${write} ms: ${written.inputTokens} tokens in, ${written.outputTokens} out`;
  context.log("info", `Wrote with ${how}`);

  await progress(AT.check, "Content generated - Running quality checks");
  const draft = { markdown: written.markdown, brief, extractive: provider === "offline" };
  const reviewed = await pageOptions.runTask("review", draft, signal);
  const { rules } = reviewed.report;
  for (const { label, verdict, figure, limit } of rules) {
    if (verdict === "passed" || verdict === "skipped") continue;
    context.log(
      verdict === "failed" ? "warn" : "info",
      `${label}, ${verdict}: ${figure} (${limit})`,
    );
  }
  await progress(AT.checked, verdictOf(rules));

  const output: ArticleOutput = {
    ...reviewed,
    language: brief.language,
    writer: { provider, model, strategy: input.writingStrategy },
    publisher: publisher.profile,
    target: target.profile,
    timings: { profile, write, check: watch() },
    cost: { inputTokens: written.inputTokens, outputTokens: written.outputTokens },
  };
  const failed = rules.filter(({ verdict }) => verdict === "failed");
  if (failed.length > 0) {
    const names = failed.map(({ label }) => label.charAt(0).toLowerCase() + label.slice(1));
    const message = `Blocked: ${tally(rules)} (${names.join(", ")})`;
    return blocked(cutText(message, LONGEST_MESSAGE), output);
  }
  await progress(AT.deliver, `Delivering ${output.words} words`);
  return delivered("Article successfully generated and delivered", output);
}

function summary({ profile }: Page): string {
  return `"${profile.title}", ${profile.words} words, ${languageName(profile.language)}, ${profile.tone} tone`;
}

/** A warning about pages with too little text, for people who wait for the article. */
function thinPages(publisher: Page, target: Page): string | undefined {
  const thin = Object.entries({ publisher, target })
    .filter(([, { profile }]) => profile.words < THRESHOLDS.sourceWords)
    .map(([name, { profile }]) => `the ${name}'s page has only ${profile.words} words`);
  return thin.length === 0 ? undefined : thin.join(" and ").replace("the", "The");
}

function verdictOf(rules: readonly QualityRule[]): string {
  const mended = rules.filter(({ verdict }) => verdict === "mended").length;
  return mended === 0 ? tally(rules) : `${tally(rules)}, ${mended} mended`;
}

/** Each call returns the milliseconds since the previous call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const elapsed = Math.round(now - last);
    last = now;
    return elapsed;
  };
}
