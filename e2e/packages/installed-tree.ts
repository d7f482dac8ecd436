/** The packages that npm has installed for a package. */
import { existsSync, readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

interface Manifest {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/**
 * The folders of a package and of all that it needs, by name. `program`: the folder that has it in its `node_modules`. Left out
 * are optional peers and `typescript`, which programs have anyway.
 */
export function installedTree(program: string, name: string): Map<string, string> {
  const tree = new Map<string, string>();
  const visit = (from: string, needed: string, isOptional: boolean) => {
    const folder = findPackage(from, needed);
    if (folder === undefined) {
      if (isOptional) return;
      throw new Error(`${needed} is not installed for ${from}.`);
    }
    if (tree.get(needed) === folder) return;
    tree.set(needed, folder);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest;
    for (const each of Object.keys(dependencies)) {
      visit(folder, each, each in optionalDependencies);
    }
    for (const each of Object.keys(optionalDependencies)) visit(folder, each, true);
    for (const each of Object.keys(peerDependencies)) {
      const isNeeded = manifest.peerDependenciesMeta?.[each]?.optional !== true;
      if (isNeeded && each !== "typescript") visit(folder, each, false);
    }
  };
  visit(program, name, false);
  return tree;
}

/** As Node looks for it: in each folder above. */
function findPackage(from: string, name: string): string | undefined {
  for (let base = from; ; base = dirname(base)) {
    const folder = join(base, "node_modules", name);
    if (existsSync(join(folder, "package.json"))) return folder;
    if (base === dirname(base)) return undefined;
  }
}

/** The bytes of all files of these packages. */
export async function bytesOf(tree: ReadonlyMap<string, string>): Promise<number> {
  const sizes = await Promise.all([...tree.values()].map(sizeOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Without the packages that lie inside, which a tree has by themselves. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? 0 : sizeOf(path);
      return (await stat(path)).size;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
