/**
 * The table of variables in docs/configuration.md, made from the schema that reads them. Prints the table; with `--check`,
 * fails when the page differs from it.
 */
import { readFileSync } from "node:fs";
import { VARIABLES } from "#server/config.ts";
import type { Variable } from "#shared/variables.ts";

const PAGE = "docs/configuration.md";
const START = "<!-- config -->";
const END = "<!-- /config -->";

/** Padded as the formatter does it, so that it can stand in the page as it is. */
export function configTable(variables: Record<string, Variable>): string {
  const rows = [
    ["variable", "default", ""],
    ...Object.entries(variables).map(([name, variable]) => [
      `\`${name}\``,
      defaultOf(variable),
      variable.about.replaceAll("|", "\\|"),
    ]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  const rule = widths.map((width) => "-".repeat(width));
  return [head, rule, ...body].map(line).join("\n");
}

/** The text between the two marks. */
export function tableIn(page: string): string | undefined {
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start === -1 || end < start) return undefined;
  return page.slice(start + START.length, end).trim();
}

function defaultOf({ default: text, unset }: Variable): string {
  if (text === undefined) return unset ?? "not set";
  return text === "" ? "empty" : `\`${text}\``;
}

if (import.meta.main) {
  const table = configTable(VARIABLES);
  if (!process.argv.includes("--check")) {
    console.log(table);
  } else if (tableIn(readFileSync(PAGE, "utf8")) !== table) {
    console.error(
      `The table between ${START} and ${END} in ${PAGE} differs from server/config.ts.\n` +
        "Replace it with the output of `node scripts/config-table.ts`.",
    );
    process.exit(1);
  }
}
