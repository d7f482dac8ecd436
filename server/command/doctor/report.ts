/** The findings, for people and for programs. */
import type { Finding, Verdict } from "#shared/finding.ts";
import { cutText } from "#shared/cut-text.ts";
import { pluralize } from "#shared/pluralize.ts";

const MAX_LINE_CHARS = 500;

/** Servers and proxies choose much of the texts, and a terminal obeys control characters. */
export function printableFinding({ check, found, remedy, ...rest }: Finding): Finding {
  const texts = { check: printable(check), found: printable(found) };
  return { ...rest, ...texts, ...(remedy !== undefined && { remedy: printable(remedy) }) };
}

/** A line for the finding, and one for what to do. */
export function textOf(finding: Finding): string {
  const { check, verdict, found, remedy, doc } = printableFinding(finding);
  const line = `${verdict.padEnd(4)}  ${check}: ${found}\n`;
  const advice = [remedy, doc && `See ${doc}.`].filter(Boolean).join(" ");
  return advice === "" ? line : `${line}      ${advice}\n`;
}

/** `12 ok, 1 warning, 2 failures, 1 not checked.` */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter((each) => each.verdict === verdict).length;
  const parts = [`${count("ok")} ok`];
  if (count("warn") > 0) parts.push(pluralize(count("warn"), "warning"));
  if (count("fail") > 0) parts.push(pluralize(count("fail"), "failure"));
  if (count("skip") > 0) parts.push(`${count("skip")} not checked`);
  return `${parts.join(", ")}.\n`;
}

function printable(text: string): string {
  return cutText(text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " "), MAX_LINE_CHARS);
}
