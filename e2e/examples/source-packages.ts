/**
 * The packages `jobwire` and `@jobwire/client` with this repository's sources: each entry only names a source file. An
 * entry that is a link would not do, because Node strips no types of files in `node_modules`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const PACKAGES: Record<string, Record<string, string>> = {
  jobwire: { ".": "server/index.ts" },
  "@jobwire/client": { ".": "client/lib/index.ts", "./react": "client/lib/react.tsx" },
};

/** `modules`: a folder `node_modules`. */
export async function writeSourcePackages(modules: string): Promise<void> {
  for (const [name, entries] of Object.entries(PACKAGES)) {
    const dir = join(modules, name);
    await mkdir(dir, { recursive: true });
    const exports: Record<string, string> = {};
    for (const [index, [subpath, source]] of Object.entries(entries).entries()) {
      exports[subpath] = `./entry-${index}.js`;
      const code = `export * from ${JSON.stringify(join(ROOT, source))};\n`;
      await writeFile(join(dir, `entry-${index}.js`), code);
    }
    await writeFile(
      join(dir, "package.json"),
      JSON.stringify({ name, version: "0.1.0", type: "module", exports }),
    );
  }
}
