/** The packages as they are published, built once for all test files, and kept for the next run on the same sources. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { glob, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Inside the repository, so that the packages find those that they need there. */
const BUILDS = "dist/packages-of-tests";
/** All that a build reads. The page must be built. */
const SOURCES = [
  "{server,shared,client/lib}/**/*",
  "scripts/build-packages.ts",
  "scripts/packages/**/*",
  "dist/client/**/*",
  "package-lock.json",
  "package.json",
  "LICENSE",
];
const POLL_MS = 100;
/** Builds of other sources are deleted after this time, when no test can use them any more. */
const KEPT_MS = 3_600_000;

/**
 * Resolves to a folder that holds `jobwire` and `client`. The first process that asks builds them, which takes some seconds; the
 * others wait for it.
 */
export async function builtPackages(): Promise<string> {
  const name = await hashOfSources();
  const dir = join(ROOT, BUILDS, name);
  await mkdir(join(ROOT, BUILDS), { recursive: true });
  while (!existsSync(dir)) {
    if (!(await lock(`${dir}.lock`))) {
      await pause(POLL_MS);
      continue;
    }
    try {
      await build(name);
    } finally {
      await rm(`${dir}.lock`, { force: true });
    }
  }
  return dir;
}

/** Where programs that run with these packages keep what Node compiled: it is deleted with them. */
export const compileCacheOf = (packages: string): string => join(packages, "compile-cache");

/** The folder gets its name when it is whole. */
async function build(name: string): Promise<void> {
  const dir = join(ROOT, BUILDS, name);
  if (existsSync(dir)) return;
  const begun = `${BUILDS}/${name}-${process.pid}`;
  const script = join(ROOT, "scripts/build-packages.ts");
  await promisify(execFile)(process.execPath, [script, "--out", begun]);
  await rename(join(ROOT, begun), dir);
  for (const other of await readdir(join(ROOT, BUILDS))) {
    const path = join(ROOT, BUILDS, other);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Resolves to `false` where another process has the lock. One that died has it no longer. */
async function lock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const holder = Number(await readFile(path, "utf8").catch(() => ""));
    if (holder > 0 && !isRunning(holder)) await rm(path, { force: true });
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function hashOfSources(): Promise<string> {
  const hash = createHash("sha256");
  const paths: string[] = [];
  for await (const file of glob(SOURCES, { cwd: ROOT, withFileTypes: true })) {
    if (file.isFile()) paths.push(join(file.parentPath, file.name));
  }
  for (const path of paths.filter((each) => !/\.test(?:-d)?\.tsx?$/.test(each)).toSorted()) {
    hash
      .update(path.slice(ROOT.length))
      .update("\0")
      .update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 16);
}
