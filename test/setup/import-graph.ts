/** Which files a file imports, also by way of others: the vitest projects choose their tests by it. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const TYPES_ONLY = /^(?:import|export) type [^;]*;/gm;
/** `… from "./x.ts"`, `import "./x.ts"`, `import("./x.ts")`, and the same with `#server/x.ts`; not those in texts. */
const SPECIFIER = /(?:^(?:import|export|\}).* from |^import |\bimport\()"(#[^"]+|\.\/[^"]+)"/gm;

export interface ImportGraph {
  /** Whether `file` is `target` or imports it, directly or not. Paths are relative to the root, with slashes. */
  reaches(file: string, target: string): boolean;
}

/** `root`: the folder of `package.json`. */
export function createImportGraph(root: string): ImportGraph {
  const known = new Map<string, readonly string[]>();

  function importsOf(file: string): readonly string[] {
    const found = known.get(file);
    if (found !== undefined) return found;
    const path = join(root, file);
    // Tests have sources in texts, which import files that do not exist.
    const source = /\.tsx?$/.test(file) && existsSync(path) ? readFileSync(path, "utf8") : "";
    const files = specifiersIn(source).map((specifier) => fileOf(specifier, file));
    known.set(file, files);
    return files;
  }

  return {
    reaches(file, target) {
      const seen = new Set([file]);
      // Grows while it is walked.
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

/** As `imports` of `package.json` maps it: `#server/x.ts` is `server/x.ts`. */
function fileOf(specifier: string, from: string): string {
  if (specifier.startsWith("#")) return specifier.slice(1);
  return posix.join(posix.dirname(from), specifier);
}
