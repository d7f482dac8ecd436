/**
 * The README's table of variables, made from the schema that reads them. Prints it; with `--check`, fails where the
 * README says otherwise.
 */
import { readFileSync } from "node:fs";
import { VARIABLES, type Variable } from "#server/config.ts";

const START = "<!-- config -->";
const END = "<!-- /config -->";

/** Padded as the formatter does it, so that it can stand in the README as it is. */
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

/** What stands between the two marks. */
export function tableIn(readme: string): string | undefined {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) return undefined;
  return readme.slice(start + START.length, end).trim();
}

function defaultOf({ default: text, unset }: Variable): string {
  if (text === undefined) return unset ?? "not set";
  return text === "" ? "empty" : `\`${text}\``;
}

if (import.meta.main) {
  const table = configTable(VARIABLES);
  if (!process.argv.includes("--check")) {
    console.log(table);
  } else if (tableIn(readFileSync("README.md", "utf8")) !== table) {
    console.error(
      `The table between ${START} and ${END} in README.md is not what server/config.ts says.\n` +
        "Put in its place what `node scripts/config-table.ts` prints.",
    );
    process.exit(1);
  }
}
