/** Follows the modules of a compiled package. */
import { fileOf, packageOf } from "./paths.ts";
import { referencesIn } from "./references.ts";

export interface Reach {
  files: Set<string>;
  packages: Set<string>;
}

/**
 * `read` throws for a file that is missing. `fileFor`: the file that is followed for a path that a module imports: by default
 * itself, for declarations that of its types.
 */
export function reachOf(
  entries: readonly string[],
  read: (file: string) => string,
  fileFor: (path: string) => string = (path) => path,
): Reach {
  const files = new Set(entries.map(fileFor));
  const packages = new Set<string>();
  // `files` grows during the loop.
  for (const file of files) {
    if (!/\.(?:js|d\.ts)$/.test(file)) continue;
    for (const { by, specifier } of referencesIn(file, read(file))) {
      const path = fileOf(specifier, file);
      const name = by === "module" && path === undefined ? packageOf(specifier) : undefined;
      if (name !== undefined) packages.add(name);
      if (path !== undefined && /\.(?:js|json)$/.test(path)) files.add(fileFor(path));
    }
  }
  return { files, packages };
}
