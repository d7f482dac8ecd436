import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PEERS } from "./peers.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MISSING = "sanitize-html";

let directory: string;

/** The sources of the kind, beside all packages that they need but one. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "jobwire-peers-"));
  for (const part of ["package.json", "server/kinds", "shared"]) {
    await cp(join(ROOT, part), join(directory, part), { recursive: true });
  }
  for (const name of ["zod", ...PEERS.filter((name) => name !== MISSING)]) await install(name);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function install(name: string): Promise<void> {
  const to = join(directory, "node_modules", name);
  await mkdir(dirname(to), { recursive: true });
  await symlink(join(ROOT, "node_modules", name), to);
}

async function evaluate(program: string): Promise<string> {
  const args = ["--input-type=module-typescript", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory });
  return stdout.trim();
}

test("without one of its packages the kind is not loaded, and the error names the package", async () => {
  const load = `
    import("#server/kinds/article/index.ts").then(
      ({ articleFromEnv }) => console.log(articleFromEnv({ FETCH_ALLOW: "intranet" }).name),
      (error) => console.log(error.code, error.message),
    );`;
  expect(await evaluate(load)).toMatch(/^ERR_MODULE_NOT_FOUND Cannot find package 'sanitize-html'/);
  await install(MISSING);
  expect(await evaluate(load)).toBe("article");
});
