/**
 * Checks the table of bounds in SPEC.md against the code: each row names the variable or constant that sets the bound,
 * and its number must be the one in the code. Each constant of the files of limits must have a row.
 */
import { globSync, readFileSync } from "node:fs";
import { VARIABLES } from "#server/config.ts";
import type { Variable } from "#shared/variables.ts";

const START = "<!-- bounds -->";
const END = "<!-- /bounds -->";

/** `| what | 256 KiB | `MAX_INPUT_BYTES` | … |` */
const ROW = /^\| [^|]+\| +([^|]+?) +\| +`([A-Z][A-Z0-9_]*)` +\|/gm;
const CONSTANT = /\bconst ([A-Z][A-Z0-9_]*) = ([\d_.\s*]+);/g;

/** All constants of these files are limits. */
const FILES_OF_LIMITS = ["shared/limits.ts", "server/transports/sockets/message-limits.ts"];

const UNITS: Record<string, number> = {
  KiB: 1024,
  MiB: 1024 * 1024,
  s: 1000,
  "": 1,
};

/**
 * The faults of the table, a line each. `values`: all values that the code gives to each name. `limits`: names that must
 * have a row.
 */
export function checkBounds(
  spec: string,
  values: ReadonlyMap<string, ReadonlySet<number>>,
  limits: Iterable<string> = [],
): { rows: number; faults: string[] } {
  const table = spec.slice(spec.indexOf(START), spec.indexOf(END));
  const rows = [...table.matchAll(ROW)];
  const faults = rows.flatMap(([, said = "", name = ""]) => {
    const known = values.get(name);
    if (known === undefined) return `${name} is in the table of bounds, but not in the code.`;
    const number = numberIn(said);
    if (number !== undefined && known.has(number)) return [];
    return `${name} is ${[...known].join(" or ")} in the code, but the table of bounds says ${said}.`;
  });
  const named = new Set(rows.map(([, , name]) => name));
  const missing = [...limits].filter((name) => !named.has(name));
  faults.push(...missing.map((name) => `${name} is in the code, but not in the table of bounds.`));
  return { rows: rows.length, faults };
}

/** `256 KiB` is 262144, and `10 s` is 10000: the code has times in milliseconds. */
function numberIn(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^([\d,.]+)(?: (KiB|MiB|s)\b)?/.exec(text) ?? [];
  const factor = UNITS[unit];
  return digits === "" || factor === undefined
    ? undefined
    : Number(digits.replaceAll(",", "")) * factor;
}

/** Values of constants that are numbers or products of numbers. */
export function constantsIn(sources: readonly string[]): Map<string, Set<number>> {
  const values = new Map<string, Set<number>>();
  for (const source of sources) {
    for (const [, name = "", expression = ""] of source.matchAll(CONSTANT)) {
      const value = expression
        .split("*")
        .map((factor) => Number(factor.replaceAll("_", "")))
        .reduce((product, factor) => product * factor, 1);
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  return values;
}

if (import.meta.main) {
  const files = globSync("{shared,server}/**/*.ts").filter((file) => !file.includes(".test."));
  const values = constantsIn(files.map((file) => readFileSync(file, "utf8")));
  for (const [name, { default: text }] of Object.entries<Variable>(VARIABLES)) {
    if (text !== undefined) values.set(name, new Set([Number(text)]));
  }
  const limits = constantsIn(FILES_OF_LIMITS.map((file) => readFileSync(file, "utf8"))).keys();
  const { rows, faults } = checkBounds(readFileSync("SPEC.md", "utf8"), values, limits);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0 || rows === 0) process.exit(1);
  console.log(`${rows} bounds, all as in the code.`);
}
