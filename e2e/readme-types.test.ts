/** The README's TypeScript, and the hooks, in an app with the compiler options of Vite's own template for React. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
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
/** What the app installs beside Jobwire. */
const PACKAGES = ["@trpc", "superjson", "eventsource", "react", "@types", "@tanstack"];
const HOOKS = `
import { createJobwireClient } from "jobwire/client/lib/client.ts";
import { JobwireProvider, useJob } from "jobwire/client/lib/react.tsx";

function Progress() {
  const { job } = useJob("id");
  const percent: number | undefined = job?.progress;
  return <p>{percent}</p>;
}
export function App() {
  return (
    <JobwireProvider client={createJobwireClient({ url: location.origin })}>
      <Progress />
    </JobwireProvider>
  );
}
`;

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

async function complaints(): Promise<string> {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const run = promisify(execFile)(process.execPath, [tsc], { cwd: app });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test("the README's lines and the hooks have types in an app that knows nothing of Jobwire's options", async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, lines = ""]) => lines);
  expect(snippets.length).toBeGreaterThan(0);
  for (const [index, lines] of snippets.entries()) {
    await writeFile(join(app, `snippet-${index}.ts`), lines);
  }
  await writeFile(join(app, "hooks.tsx"), HOOKS);
  expect(await complaints()).toBe("");

  // They are real types and no `any`.
  await writeFile(
    join(app, "snippet-0.ts"),
    `${snippets[0]}\nexport const no: string = job.progress;\n`,
  );
  expect(await complaints()).toContain("Type 'number' is not assignable to type 'string'");
});
