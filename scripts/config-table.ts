/**
 * The tables in docs/configuration.md that are made from the code: of the variables of Jobwire, of those that the
 * application adds, and of the limits. Prints them; with `--check`, fails when the page differs from them.
 */
import { readFileSync } from "node:fs";
import { application } from "#server/application.ts";
import { VARIABLES } from "#server/config.ts";
import { type Limit, LIMITS } from "#server/limits/limits.ts";
import type { Variable } from "#shared/variables.ts";

const PAGE = "docs/configuration.md";

type Row = readonly string[];

export function configTable(variables: Record<string, Variable>): string {
  return tableOf([
    ["variable", "default", ""],
    ...Object.entries(variables).map(([name, variable]) => [
      `\`${name}\``,
      defaultOf(variable),
      variable.about.replaceAll("|", "\\|"),
    ]),
  ]);
}

export function limitsTable(
  limits: Record<string, Limit>,
  variables: Record<string, Variable>,
): string {
  return tableOf([
    ["limit", "of", "counts", "variable", "default", "refused beyond it"],
    ...Object.entries(limits).map(([name, { variable, of, counts, refused }]) => [
      `\`${name}\``,
      of,
      counts,
      `\`${variable}\``,
      Number(variables[variable]?.default).toLocaleString("en"),
      refused,
    ]),
  ]);
}

/** Padded as the formatter does it, so that it can stand in the page as it is. */
export function tableOf(rows: readonly Row[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: Row) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [head, rule, ...body].map(line).join("\n");
}

/** The text between the marks `<!-- name -->` and `<!-- /name -->`. */
export function tableIn(page: string, name = "config"): string | undefined {
  const mark = `<!-- ${name} -->`;
  const start = page.indexOf(mark);
  const end = page.indexOf(`<!-- /${name} -->`);
  if (start === -1 || end < start) return undefined;
  return page.slice(start + mark.length, end).trim();
}

function defaultOf({ default: text, unset }: Variable): string {
  if (text === undefined) return unset ?? "not set";
  return text === "" ? "empty" : `\`${text}\``;
}

if (import.meta.main) {
  const tables = {
    config: configTable(VARIABLES),
    application: configTable(application.variables),
    limits: limitsTable(LIMITS, VARIABLES),
  };
  if (!process.argv.includes("--check")) {
    console.log(Object.values(tables).join("\n\n"));
  } else {
    const page = readFileSync(PAGE, "utf8");
    for (const [name, table] of Object.entries(tables)) {
      if (tableIn(page, name) === table) continue;
      console.error(
        `The table between <!-- ${name} --> and <!-- /${name} --> in ${PAGE} differs from the code.\n` +
          "Replace it with the output of `node scripts/config-table.ts`.",
      );
      process.exitCode = 1;
    }
  }
}
