/** The graph of imports, by which the vitest projects choose their tests. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const TYPES_ONLY = /^(?:import|export) type [^;]*;/gm;
/** `… from "./x.ts"`, `import "./x.ts"`, `import("./x.ts")`, and the same with `#server/x.ts`, but not inside strings. */
const SPECIFIER = /(?:^(?:import|export|\}).* from |^import |\bimport\()"(#[^"]+|\.\/[^"]+)"/gm;

export interface ImportGraph {
  /** True if `file` is `target` or imports it, directly or indirectly. Paths are relative to the root, with slashes. */
  reaches(file: string, target: string): boolean;
}

/** `root`: the folder of `package.json`. */
export function createImportGraph(root: string): ImportGraph {
  const known = new Map<string, readonly string[]>();

  function importsOf(file: string): readonly string[] {
    const found = known.get(file);
    if (found !== undefined) return found;
    const path = join(root, file);
    // Strings in tests contain sources that import files which do not exist.
    const source = /\.tsx?$/.test(file) && existsSync(path) ? readFileSync(path, "utf8") : "";
    const files = specifiersIn(source).map((specifier) => fileOf(specifier, file));
    known.set(file, files);
    return files;
  }

  return {
    reaches(file, target) {
      const seen = new Set([file]);
      // `seen` grows during the loop.
      for (const each of seen) for (const imported of importsOf(each)) seen.add(imported);
      return seen.has(target);
    },
  };
}

function specifiersIn(source: string): string[] {
  return [...source.replaceAll(TYPES_ONLY, "").matchAll(SPECIFIER)].map(
    ([, specifier = ""]) => specifier,
  );
}

/** Resolves a specifier by the `imports` of `package.json`: `#server/x.ts` is `server/x.ts`. */
function fileOf(specifier: string, from: string): string {
  if (specifier.startsWith("#")) return specifier.slice(1);
  return posix.join(posix.dirname(from), specifier);
}
