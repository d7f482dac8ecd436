/**
 * Compiles the client library in a fresh folder as a strict front end sees it: its own packages, no types of Node, no zod, no
 * server, and the packages' declarations checked too.
 */
import { execFile } from "node:child_process";
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COMPILER_OPTIONS = {
  target: "es2023",
  lib: ["ES2023", "DOM"],
  module: "esnext",
  moduleResolution: "bundler",
  types: [],
  jsx: "react-jsx",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  declaration: true,
  emitDeclarationOnly: true,
  outDir: "declarations",
  rootDir: ".",
};
/** The packages of the library, and those that these need. */
const PACKAGES = [
  "@trpc/client",
  "@trpc/server",
  "superjson",
  "copy-anything",
  "react",
  "@types/react",
  "csstype",
  "@tanstack/react-query",
  "@tanstack/query-core",
  "socket.io-client",
  "socket.io-parser",
  "engine.io-client",
  "engine.io-parser",
  "@socket.io/component-emitter",
];

/** Each `@ts-expect-error` is an error itself where the line below compiles. */
const PROGRAM = `
import { createJobwireClient } from "#client/lib/client.ts";
import "zod";
import "node:fs";
import "#server/app.ts";
import "#shared/job.schema.ts";
void process;

declare const token: string | undefined;
const { trpc } = createJobwireClient({ url: "http://localhost:8000", token });
export async function run(note: string | undefined, lastEventId: string | undefined) {
  const job = await trpc.job.create.mutate({ kind: "article", input: {} });
  await trpc.job.cancel.mutate({ jobId: job.id, note });
  const created: Date = job.createdAt;
  // @ts-expect-error: a progress is a number
  const progress: string = job.progress;
  // @ts-expect-error: a job has a kind
  await trpc.job.create.mutate({ input: {} });
  // @ts-expect-error: there is no such procedure
  await trpc.job.erase.mutate({ jobId: job.id });
  // @ts-expect-error: there is no such status
  await trpc.job.list.query({ status: "DONE" });
  const { items, feed } = await trpc.job.list.query();
  const titles: string[] = items.map(({ title }) => title);
  trpc.job.onUpdate.subscribe(
    { jobId: job.id, lastEventId },
    {
      onData({ id, data }) {
        const cursor: string = id;
        if (data.type === "blocked") return { cursor, status: data.status satisfies "BLOCKED" };
        // @ts-expect-error: an event has no output
        return data.output;
      },
      onError: ({ data }) => data?.appCode satisfies string | undefined,
    },
  );
  return { created, progress, titles, feed };
}
`;

let app: string;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "jobwire-client-types-"));
  for (const name of PACKAGES) {
    const to = join(app, "node_modules", name);
    await cp(join(ROOT, "node_modules", name), to, { recursive: true, dereference: true });
  }
  for await (const file of glob("{client/lib,shared}/**/*.{ts,tsx}", { cwd: ROOT })) {
    if (/\.(?:test|test-d|schema)\.|\/(?:load-)?variables\.ts$/.test(file)) continue;
    await mkdir(join(app, dirname(file)), { recursive: true });
    await cp(join(ROOT, file), join(app, file));
  }
  const { imports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    imports: unknown;
  };
  await write("package.json", JSON.stringify({ type: "module", imports }));
  const tsconfig = { compilerOptions: COMPILER_OPTIONS, include: ["client", "shared", "*.ts"] };
  await write("tsconfig.json", JSON.stringify(tsconfig));
});
afterAll(() => rm(app, { recursive: true, force: true }));

const write = (file: string, text: string) => writeFile(join(app, file), text);

async function compilerOutput(): Promise<string> {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  return promisify(execFile)(process.execPath, [tsc, "--pretty", "false"], { cwd: app }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

test("the client library compiles without Node, zod and the server, and with checked declarations", async () => {
  expect(await compilerOutput()).toBe("");
});

test("its declarations import only its own packages", async () => {
  const packages = new Set<string>();
  for await (const file of glob("declarations/**/*.d.ts", { cwd: app })) {
    const text = await readFile(join(app, file), "utf8");
    const found = text.matchAll(
      /(?:from|import\(|import) ?"([^".#][^"]*)"|reference types="([^"]+)"/g,
    );
    for (const [, module, types] of found) packages.add(module ?? `types of ${types}`);
  }
  expect([...packages].toSorted()).toEqual([
    "@tanstack/react-query",
    "@trpc/client",
    "@trpc/server",
    "react",
    "socket.io-client",
    "superjson",
  ]);
});

test("a program has the types of all calls, and neither Node nor zod", async () => {
  await write("program.ts", PROGRAM);
  const errors = await compilerOutput();
  expect(errors.match(/error TS\d+: .*/g)).toEqual([
    expect.stringContaining("side-effect import of 'zod'"),
    expect.stringContaining("side-effect import of 'node:fs'"),
    expect.stringContaining("side-effect import of '#server/app.ts'"),
    expect.stringContaining("side-effect import of '#shared/job.schema.ts'"),
    expect.stringContaining("Cannot find name 'process'"),
  ]);
});
