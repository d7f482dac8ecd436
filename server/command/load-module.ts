/** Loads the module that a command names, in JavaScript or TypeScript, and finds the kinds in it. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "#server/config.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { KindError } from "#server/kinds/registry.ts";
import { asError } from "#shared/errors.ts";
import { UsageError } from "./usage-error.ts";

const NO_MODULE =
  'Its package.json makes it a CommonJS module: run `npm pkg set type=module`, or give it a name that ends in ".mts".';

export type Module = Readonly<Record<string, unknown>>;

/**
 * `path`: relative to the working directory. Rejects with `UsageError` for a module that does not load, and with the
 * `ConfigError` or `KindError` of its `createJobwire`.
 */
export async function loadModule(path: string): Promise<Module> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UsageError(`There is no module ${file}.`);
  try {
    return (await import(pathToFileURL(file).href)) as Module;
  } catch (thrown) {
    if (thrown instanceof ConfigError || thrown instanceof KindError) throw thrown;
    const error = asError(thrown);
    const hint = error.message.includes("outside a module") ? ` ${NO_MODULE}` : "";
    throw new UsageError(`${path} could not be loaded.${hint}\n${error.stack ?? error.message}`);
  }
}

/** The kinds among a module's exports, and in lists among them, each once. */
export function kindsOf(module: Module): AnyKind[] {
  return [...new Set(Object.values(module).flat().filter(isKind))];
}

/** By its shape, as another copy of this program may have made it. */
function isKind(value: unknown): value is AnyKind {
  if (typeof value !== "object" || value === null) return false;
  const { name, input, output, run } = value as Partial<AnyKind>;
  return (
    typeof name === "string" &&
    typeof input === "object" &&
    typeof output === "object" &&
    typeof run === "function"
  );
}
