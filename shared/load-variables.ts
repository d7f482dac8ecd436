/** Reads environment variables: checks the value of each, and finds names that look like misspelt ones. */
import { cutText } from "./cut-text.ts";
import type { SettingsOf, Variable, Variables } from "./variables.ts";

export type Env = Readonly<Record<string, string | undefined>>;

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(`The configuration cannot be used:\n${lines.map((line) => `  ${line}`).join("\n")}`);
    this.lines = lines;
  }
}

/** Throws `ConfigError` with one line per bad variable, and per name that looks like a misspelt one of these. */
export function loadVariables<V extends Variables>(env: Env, variables: V): SettingsOf<V> {
  const { settings, lines } = readVariables(env, variables);
  if (lines.length > 0) throw new ConfigError(lines);
  return settings;
}

/** As `loadVariables`, but returns the lines of the error. The settings are complete only where there are none. */
export function readVariables<V extends Variables>(
  env: Env,
  variables: V,
): { settings: SettingsOf<V>; lines: string[] } {
  const settings: Record<string, unknown> = {};
  const lines: string[] = [];
  for (const [name, variable] of Object.entries<Variable>(variables)) {
    // An empty variable counts as unset, as in shells and compose files.
    const given = env[name] === "" ? undefined : env[name];
    const value = given ?? variable.default;
    if (value === undefined) continue;
    const parsed = variable.schema.safeParse(value);
    if (parsed.success) settings[name] = parsed.data;
    else
      lines.push(
        `${name}=${shown(name, value)} ${parsed.error.issues[0]?.message ?? "is not valid"}`,
      );
  }
  lines.push(...misspelt(env, variables));
  return { settings: settings as SettingsOf<V>, lines };
}

const SECRET_NAME = /_(?:KEYS?|KEY_FILE|SECRET)$/;

/** Shows a value without secrets: keys, and users and passwords in addresses. */
function shown(name: string, value: string): string {
  if (SECRET_NAME.test(name)) return "…";
  const plain = value.replace(/^.*@/s, "…@");
  return JSON.stringify(cutText(plain, 80));
}

/** Shorter names are so common that a similar one is probably not ours. */
const SHORTEST_GUESS = 8;

function misspelt(env: Env, variables: Variables): string[] {
  const names = Object.keys(variables).filter((name) => name.length >= SHORTEST_GUESS);
  return Object.keys(env)
    .filter((name) => !Object.hasOwn(variables, name))
    .flatMap((name) => {
      const meant = names.find((known) => isNear(name.toUpperCase(), known));
      return meant === undefined ? [] : [`${name} is unknown; did you mean ${meant}?`];
    });
}

/** True if the names differ by one missing, added or replaced letter, or by two swapped neighbours. */
function isNear(name: string, known: string): boolean {
  if (Math.abs(name.length - known.length) > 1) return false;
  let start = 0;
  while (start < known.length && name[start] === known[start]) start += 1;
  const rest = name.slice(start);
  const wanted = known.slice(start);
  const swapped = rest.slice(0, 2) === wanted.charAt(1) + wanted.charAt(0);
  return (
    rest === wanted ||
    rest.slice(1) === wanted ||
    rest === wanted.slice(1) ||
    rest.slice(1) === wanted.slice(1) ||
    (swapped && rest.slice(2) === wanted.slice(2))
  );
}
