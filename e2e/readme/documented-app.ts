/** The programs of the README and the guides, as a person would write them: with the packages as they are published. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtPackages, compileCacheOf } from "#e2e/packages/build.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface DocumentedApp {
  /** The folder of the app. Its other packages are those of the repository. */
  dir: string;
  /** For its programs: with what Node compiled they start in half the time. */
  env: { NODE_COMPILE_CACHE: string };
  remove(): Promise<void>;
}

export async function openDocumentedApp(): Promise<DocumentedApp> {
  const packages = await builtPackages();
  // Inside the repository, so that it finds the others.
  const dir = await mkdtemp(join(ROOT, "dist/documented-app-"));
  await mkdir(join(dir, "node_modules/@jobwire"), { recursive: true });
  await symlink(join(packages, "jobwire"), join(dir, "node_modules/jobwire"));
  await symlink(join(packages, "client"), join(dir, "node_modules/@jobwire/client"));
  await writeFile(join(dir, "package.json"), JSON.stringify({ name: "app", type: "module" }));
  return {
    dir,
    env: { NODE_COMPILE_CACHE: compileCacheOf(packages) },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** The TypeScript snippets of a page, in their order. */
export async function snippetsOf(page: string): Promise<{ language: string; code: string }[]> {
  const text = await readFile(join(ROOT, page), "utf8");
  return [...text.matchAll(/```(tsx?)\n([\s\S]*?)```/g)].map(([, language = "", code = ""]) => ({
    language,
    code,
  }));
}
