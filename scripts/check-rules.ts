/** Checks SPEC.md against the tests: a test proves every rule, and every rule in a title exists. */
import { globSync, readFileSync } from "node:fs";

export interface RuleReport {
  rules: string[];
  unproved: string[];
  unknown: string[];
  /** In SPEC.md more than once. */
  doubled: string[];
}

/** A rule is `**S1**` in SPEC.md, and `[S1]` in a test's title. */
export function checkRules(spec: string, tests: readonly string[]): RuleReport {
  const stated = [...spec.matchAll(/^\| \*\*([A-Z]\d+)\*\*/gm)].map(([, rule]) => rule ?? "");
  const rules = new Set(stated);
  const named = new Set<string>();
  for (const source of tests) {
    for (const [, title = ""] of source.matchAll(
      /\b(?:test|it|describe)\S*?\(\s*["'`]([^"'`]*)/g,
    )) {
      for (const [, rule = ""] of title.matchAll(/\[([A-Z]\d+)\]/g)) named.add(rule);
    }
  }
  return {
    rules: [...rules],
    unproved: [...rules].filter((rule) => !named.has(rule)),
    unknown: [...named].filter((rule) => !rules.has(rule)),
    doubled: stated.filter((rule, index) => stated.indexOf(rule) < index),
  };
}

if (import.meta.main) {
  const files = globSync("{shared,server,client,test,e2e}/**/*.{test,suite}.{ts,tsx}");
  const { rules, unproved, unknown, doubled } = checkRules(
    readFileSync("SPEC.md", "utf8"),
    files.map((file) => readFileSync(file, "utf8")),
  );
  for (const rule of unproved) console.error(`${rule} is in SPEC.md, but no test names it.`);
  for (const rule of unknown)
    console.error(`${rule} is named by a test, but it is not in SPEC.md.`);
  for (const rule of doubled)
    console.error(`${rule} is in SPEC.md twice. Number one of them anew.`);
  if (unproved.length + unknown.length + doubled.length > 0) process.exit(1);
  console.log(`${rules.length} rules, each proved by a test.`);
}
