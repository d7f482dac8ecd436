/** `npm run lint` checks types too: no other step of `npm run check` does. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = `
export const text: string = 5;
// @ts-expect-error -- nothing is wrong
export const number: number = 5;
function unused(): void {}
`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-lint-"));
  await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  const { compilerOptions } = JSON.parse(await readFile(join(ROOT, "tsconfig.json"), "utf8")) as {
    compilerOptions: object;
  };
  const options = { ...compilerOptions, lib: ["ES2025"], types: [] };
  await writeFile(join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
  await writeFile(join(dir, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(dir, "source.ts"), SOURCE);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test("types that do not fit, needless expectations and unused declarations are errors of the lint", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    scripts: { lint: string };
  };
  const [program = "", ...args] = scripts.lint.split(" ");
  const path = join(ROOT, "node_modules", program, "bin", program);
  const failed = promisify(execFile)(process.execPath, [path, ...args, "source.ts"], {
    cwd: dir,
  }).then(
    () => expect.unreachable("it should fail"),
    (error: { stdout: string }) => error.stdout,
  );
  const found = [...(await failed).matchAll(/typescript\((TS\d+)\)/g)].map(([, code = ""]) => code);
  expect(found.toSorted()).toEqual(["TS2322", "TS2578", "TS6133"]);
});
