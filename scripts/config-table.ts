/** Keeps the README's table of variables equal to the schema. `--check` only says whether it is. */
import { readFileSync, writeFileSync } from "node:fs";
import { VARIABLES } from "#server/config.ts";

const BLOCK = /(<!-- config -->)[\s\S]*?(<!-- \/config -->)/;

/** The README with the table of `variables` in its block. Throws where it has no such block. */
export function withTable(
  readme: string,
  variables: Record<string, { about: string; default?: string; unset?: string }>,
): string {
  if (!BLOCK.test(readme)) throw new Error("README.md has no <!-- config --> block.");
  const rows = Object.entries(variables).map(([name, { about, default: value, unset }]) => [
    `\`${name}\``,
    value === undefined ? (unset ?? "") : value === "" ? "empty" : `\`${value}\``,
    about,
  ]);
  const table = aligned([["variable", "default", ""], ...rows]);
  return readme.replace(BLOCK, (_, start: string, end: string) => `${start}\n\n${table}\n\n${end}`);
}

/** As the formatter would write it. */
function aligned(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const [head = [], ...body] = rows.map((row) =>
    line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))),
  );
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

function line(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

if (import.meta.main) {
  const before = readFileSync("README.md", "utf8");
  const after = withTable(before, VARIABLES);
  if (process.argv.includes("--check")) {
    if (after !== before) {
      console.error("README.md does not list the variables as they are: run `npm run config`.");
      process.exit(1);
    }
  } else {
    writeFileSync("README.md", after);
  }
}
