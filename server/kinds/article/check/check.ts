/** Measures an article, mends it once where a rule failed, and reports each rule's verdict. */
import type { QualityReport, QualityRule } from "#shared/article/article.ts";
import type { Brief } from "#server/kinds/article/brief.ts";
import { parseArticle } from "./article.ts";
import { mend } from "./mend.ts";
import { measureAll } from "./rules.ts";

export interface Checked {
  markdown: string;
  report: QualityReport;
}

/** `extractive`: the article consists of quotations. */
export function check(markdown: string, brief: Brief, extractive: boolean): Checked {
  const measure = (text: string): QualityRule[] =>
    measureAll({ article: parseArticle(text), brief, extractive });
  const before = measure(markdown);
  const failed = new Set(failedRules(before).map(({ id }) => id));
  if (failed.size === 0) return { markdown, report: { passed: true, rules: before } };

  const mended = mend(markdown, brief, failed);
  const rules = measure(mended).map((rule): QualityRule =>
    rule.verdict === "passed" && failed.has(rule.id) ? { ...rule, verdict: "mended" } : rule,
  );
  return { markdown: mended, report: { passed: failedRules(rules).length === 0, rules } };
}

export function failedRules(rules: readonly QualityRule[]): QualityRule[] {
  return rules.filter(({ verdict }) => verdict === "failed");
}
