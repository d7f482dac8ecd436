/** Compiles every TypeScript snippet of the README and the guides, strictly, with the packages' own declarations. */
import { execFile } from "node:child_process";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DocumentedApp, openDocumentedApp, snippetsOf } from "./documented-app.ts";

const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
const COMPILER_OPTIONS = {
  target: "es2023",
  lib: ["ES2023", "DOM", "ESNext.Disposable"],
  module: "esnext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  moduleResolution: "bundler",
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
  moduleDetection: "force",
  noEmit: true,
  jsx: "react-jsx",
  erasableSyntaxOnly: true,
  noFallthroughCasesInSwitch: true,
};

/** For each page: the names of its snippets, and what those that are parts of a program stand in. */
const PAGES: Record<string, { files: string[]; around?: Record<string, string> }> = {
  "README.md": { files: ["jobs.ts", "client.ts", "root.tsx", "server.ts", "stock.ts"] },
  "docs/clients.md": {
    files: ["handles.ts", "sse.ts", "msgpack.ts", "ticket.ts", "react.tsx", "legacy.ts"],
  },
  "docs/job-options.md": {
    files: ["options.ts", "embedded.ts", "debounce.ts"],
    around: {
      "options.ts": `import { createJobwireClient } from "@jobwire/client";
        import type { App } from "../add-a-kind.md/jobs.ts";
        const client = createJobwireClient<App>({ url: "http://localhost:8000" });\n`,
      "debounce.ts": `import { createJobwireClient } from "@jobwire/client";
        import type { App } from "../add-a-kind.md/jobs.ts";
        declare const text: string;
        const client = createJobwireClient<App>({ url: "http://localhost:8000" });\n`,
      "embedded.ts": `import { createJobwire, type Principal } from "jobwire";
        import { kinds } from "../embed.md/app.ts";
        declare const principal: Principal;
        const jobwire = createJobwire({ kinds });
        export {};\n`,
    },
  },
  "docs/add-a-kind.md": {
    files: [
      "word-count.ts",
      "jobs.ts",
      "client.ts",
      "details.ts",
      "run-kind.ts",
      "clock.ts",
      "proxy.ts",
    ],
  },
  "docs/authenticate.md": {
    files: ["token.ts", "get-token.ts", "share.ts", "own.ts"],
    around: {
      "get-token.ts": 'import { createJobwireClient } from "@jobwire/client";\n',
      "share.ts": `import type { TRPCClient } from "@trpc/client";
        import type { ApiRouter } from "@jobwire/client";
        declare const trpc: TRPCClient<ApiRouter>;
        declare const jobId: string;\n`,
    },
  },
  "docs/workers.md": { files: ["kind.ts"] },
  "docs/tracing.md": {
    files: ["traceparent.ts"],
    around: {
      "traceparent.ts": `import type { RunContext } from "jobwire";
        declare const context: RunContext<unknown>;\n`,
    },
  },
  "docs/embed.md": {
    files: ["attach.ts", "authenticate.ts", "procedures.ts", "commands.ts"],
    around: {
      "authenticate.ts": `import { AppError, createJobwire } from "jobwire";
        import { kinds } from "./app.ts";
        declare function userOf(text?: string): Promise<{ id: string; team: string } | undefined>;
        export { jobwire };\n`,
      "procedures.ts": `import { createJobwire } from "jobwire";
        import { z } from "zod";
        import { kinds } from "./app.ts";
        const Search = z.object({ word: z.string() });
        declare function find(word: string): string[];
        export { jobwire };\n`,
      "commands.ts": `import { createJobwire, type Principal } from "jobwire";
        import { kinds } from "./app.ts";
        declare const principal: Principal;
        declare const csv: string;
        const log = console.log;
        const jobwire = createJobwire({ kinds });\n`,
    },
  },
};
/** Modules of the app that the guides do not show. */
const OTHERS: Record<string, string> = {
  "docs/authenticate.md/word-count.ts":
    'export { wordCount } from "../add-a-kind.md/word-count.ts";',
  "docs/authenticate.md/users.ts": `export declare const users: {
    findByToken(token?: string): Promise<{ id: string; company: string } | undefined>;
  };`,
  "docs/embed.md/app.ts": `import type { RequestListener } from "node:http";
    import { defineKind } from "jobwire";
    import { z } from "zod";
    export declare const app: RequestListener;
    const csvImport = defineKind({
      name: "csvImport",
      input: z.object({ csv: z.string() }),
      output: z.null(),
      run: async () => null,
    });
    export const kinds = [csvImport] as const;`,
};

let app: DocumentedApp;
beforeAll(async () => {
  app = await openDocumentedApp();
  const tsconfig = { compilerOptions: COMPILER_OPTIONS, include: ["**/*.ts", "**/*.tsx"] };
  await writeFile(join(app.dir, "tsconfig.json"), JSON.stringify(tsconfig));
  for (const [page, { files, around = {} }] of Object.entries(PAGES)) {
    const snippets = await snippetsOf(page);
    if (snippets.length !== files.length) {
      throw new Error(`${page} has ${snippets.length} snippets. Name each of them in this test.`);
    }
    await mkdir(join(app.dir, page), { recursive: true });
    for (const [index, file] of files.entries()) {
      await writeFile(join(app.dir, page, file), (around[file] ?? "") + snippets[index]?.code);
    }
  }
  for (const [path, text] of Object.entries(OTHERS)) await writeFile(join(app.dir, path), text);
});
afterAll(() => app.remove());

async function compilerOutput(): Promise<string> {
  const run = promisify(execFile)(process.execPath, [TSC, "--pretty", "false"], { cwd: app.dir });
  return run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test("the snippets compile in an app with its own options, and their types are real", async () => {
  expect(await compilerOutput()).toBe("");

  const wrong: Record<string, [line: string, error: string]> = {
    "README.md/client.ts": [
      'await client.kinds.thumbnails.create({ url: "x", widths: ["320"] });',
      "Type 'string' is not assignable to type 'number'",
    ],
    "README.md/root.tsx": [
      'export const no = (): string | undefined => useJob(client.kinds.thumbnails, "1").data?.progress;',
      "Type 'number | undefined' is not assignable to type 'string | undefined'",
    ],
    "README.md/stock.ts": [
      "export const no: string = job.progress;",
      "Type 'number' is not assignable to type 'string'",
    ],
    "docs/add-a-kind.md/client.ts": [
      "export const no: string = words + paragraphs.length;",
      "Type 'number' is not assignable to type 'string'",
    ],
  };
  for (const [file, [line]] of Object.entries(wrong)) {
    await appendFile(join(app.dir, file), `\n${line}\n`);
  }
  const found = await compilerOutput();
  for (const [file, [, error]] of Object.entries(wrong)) {
    expect(
      found
        .split("\n")
        .filter((text) => text.startsWith(`${file}(`))
        .join("\n"),
    ).toContain(error);
  }
});
