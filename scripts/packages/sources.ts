/** The sources that a package's entries reach, and the files that these read when they run. */
import { compiled, fileOf, isSource, relativePath } from "./paths.ts";
import { type Reference, referencesIn } from "./references.ts";

export interface Sources {
  /** TypeScript as the package's compiler gets it, by path. */
  modules: Map<string, string>;
  /** Files and folders that go into the package as they are. */
  assets: Set<string>;
}

/** `read`: the text of a file of the repository. */
export function sourcesOf(entries: readonly string[], read: (file: string) => string): Sources {
  const reached = new Set(entries);
  const modules = new Map<string, string>();
  const assets = new Set<string>();
  // `reached` grows during the loop.
  for (const file of reached) {
    const source = read(file);
    const references = referencesIn(file, source);
    modules.set(file, rewrite(file, source, references));
    for (const reference of references) {
      const target = targetOf(reference, file);
      if (target === undefined) continue;
      if (isSource(target)) reached.add(target);
      else if (reference.by === "url") assets.add(target);
    }
  }
  return { modules, assets };
}

/** The file of ours that is meant; `undefined` for packages. */
function targetOf({ by, specifier }: Reference, file: string): string | undefined {
  // A URL may lack the dot: `samples`, `scripts/`.
  if (by === "url" && !specifier.startsWith(".")) return fileOf(`./${specifier}`, file);
  return fileOf(specifier, file);
}

/** Names each of our files by the way to what becomes of it: `#shared/job.ts` by `../../shared/job.js`. */
function rewrite(file: string, source: string, references: readonly Reference[]): string {
  let text = source;
  // From the end, so that the places of those before stay right.
  for (const reference of references.toReversed()) {
    const target = targetOf(reference, file);
    if (target === undefined || (reference.by === "url" && !isSource(target))) continue;
    const path = relativePath(compiled(target), file);
    text = text.slice(0, reference.start) + path + text.slice(reference.end);
  }
  return text;
}
