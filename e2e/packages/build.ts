/** The packages as they are published, built for one test file. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface BuiltPackages {
  /** Holds `jobwire` and `client`. Inside the repository, so that both find the packages they need there. */
  dir: string;
  remove(): Promise<void>;
}

/** The page must be built. */
export async function buildPackages(): Promise<BuiltPackages> {
  const out = `dist/packages-of-test-${process.pid}`;
  const script = join(ROOT, "scripts/build-packages.ts");
  await promisify(execFile)(process.execPath, [script, "--out", out]);
  const dir = join(ROOT, out);
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
