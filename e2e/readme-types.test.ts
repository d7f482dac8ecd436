/** Compiles the snippets of the README and docs/clients.md with the options of Vite's own template for React. */
import { execFile } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** create-vite 9, `tsconfig.app.json` of `react-ts`. */
const COMPILER_OPTIONS = {
  target: "es2023",
  lib: ["ES2023", "DOM"],
  module: "esnext",
  types: [],
  skipLibCheck: true,
  moduleResolution: "bundler",
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
  moduleDetection: "force",
  noEmit: true,
  jsx: "react-jsx",
  noUnusedLocals: true,
  noUnusedParameters: true,
  erasableSyntaxOnly: true,
  noFallthroughCasesInSwitch: true,
};
/** Packages that the app installs beside Jobwire. */
const PACKAGES = [
  "@trpc",
  "superjson",
  "eventsource",
  "react",
  "@types",
  "@tanstack",
  "socket.io-client",
];
const PAGES = ["README.md", "docs/clients.md"];

let app: string;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "jobwire-app-"));
  await mkdir(join(app, "node_modules"));
  await symlink(ROOT, join(app, "node_modules", "jobwire"));
  for (const name of PACKAGES) {
    await symlink(join(ROOT, "node_modules", name), join(app, "node_modules", name));
  }
  const tsconfig = { compilerOptions: COMPILER_OPTIONS, include: ["*.ts", "*.tsx"] };
  await writeFile(join(app, "tsconfig.json"), JSON.stringify(tsconfig));
});

afterAll(() => rm(app, { recursive: true, force: true }));

async function compilerOutput(): Promise<string> {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const run = promisify(execFile)(process.execPath, [tsc], { cwd: app });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

/** Writes each TypeScript snippet to a file with a name of its own. Returns the names, in the order of the pages. */
async function writeSnippets(): Promise<string[]> {
  const names: string[] = [];
  for (const page of PAGES) {
    const text = await readFile(join(ROOT, page), "utf8");
    for (const [, language, lines = ""] of text.matchAll(/```(tsx?)\n([\s\S]*?)```/g)) {
      const name = `snippet-${names.length}.${language}`;
      await writeFile(join(app, name), lines);
      names.push(name);
    }
  }
  return names;
}

test("the snippets are typed in an app with its own compiler options", async () => {
  expect(await writeSnippets()).toEqual([
    "snippet-0.ts",
    "snippet-1.tsx",
    "snippet-2.ts",
    "snippet-3.ts",
    "snippet-4.ts",
    "snippet-5.tsx",
    "snippet-6.ts",
  ]);
  expect(await compilerOutput()).toBe("");

  // The types are real ones and not `any`.
  const wrong = {
    "snippet-0.ts": "export const no: string = job.progress;\n",
    "snippet-1.tsx": 'export const no = (): string | undefined => useJob("id").job?.progress;\n',
  };
  for (const [name, line] of Object.entries(wrong)) await appendFile(join(app, name), line);
  const found = await compilerOutput();
  for (const name of Object.keys(wrong)) expect(found).toContain(`${name}(`);
  expect(found.match(/Type 'number' is not assignable to type 'string'/g)).toHaveLength(2);
});
