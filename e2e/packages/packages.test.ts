/** The published packages, packed and installed into programs outside the repository. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { io } from "socket.io-client";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import pkg from "#package.json" with { type: "json" };
import { launchBrowser } from "#e2e/browser/browser.ts";
import { timesOf } from "#test/long-run.ts";
import { openTestPage } from "#test/browser/page.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { bytesOf, installedTree } from "./installed-tree.ts";
import { hovers, MARK } from "./language-server.ts";
import { type Program, startProgram } from "./program.ts";
import { COMPILERS, openWorkspace, type Workspace } from "./workspace.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
/** Safety net for a slow machine or network. */
const INSTALL_TIMEOUT_MS = 900_000;

/** Minified and compressed, with its packages. */
const MAX_BUNDLE_BYTES = 25_000;
const MAX_CLIENT_BYTES = 5_000_000;
const MAX_JOBWIRE_BYTES = 60_000_000;

let workspace: Workspace;
beforeAll(async () => {
  workspace = await openWorkspace();
  // The programs are in a new folder for each run, which the cache of the other tests would keep for good.
  vi.stubEnv("NODE_COMPILE_CACHE", workspace.compileCache);
}, INSTALL_TIMEOUT_MS);
afterAll(async () => {
  vi.unstubAllEnvs();
  await workspace?.close();
});

const start = (args: string[], env: Record<string, string>): Promise<Program> =>
  startProgram(workspace.server, args, { NODE_COMPILE_CACHE: workspace.compileCache, ...env });

test("publint and attw find nothing in the packages", async () => {
  // Both tools would pack a folder again.
  const script = pkg.scripts["check:packages"].replaceAll(
    /(?:--pack )?dist\/packages\/(jobwire|client)/g,
    (_, name: "jobwire" | "client") => workspace.packed[name],
  );
  const { stdout } = await run("sh", ["-c", script], {
    cwd: ROOT,
    env: { ...process.env, PATH: `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}` },
  });
  expect(stdout.match(/All good!/g)).toHaveLength(2);
});

/** The long run also tries those between the oldest and the newest. */
const TRIED = COMPILERS.filter(
  (_, index) => index === 0 || index === COMPILERS.length - 1 || timesOf(0, 1) > 0,
);

describe.each(TRIED)("with %s", (compiler) => {
  test("a server on Express compiles, and no line that is wrong does", async () => {
    expect(await workspace.compile(compiler, workspace.server)).toBe("");
  });

  test("a strict front end compiles without Node's types and zod, and no line that is wrong does", async () => {
    expect(await workspace.compile(compiler, workspace.web)).toBe("");
  });
});

const HOVERED = `
import { useCreateJob, useJob } from "@jobwire/client/react";
import { client } from "./client.ts";

client.kinds.thumbnails.${MARK}create({ url: "https://example.com", widths: [320] });
client.kinds.greetings.${MARK}create({ name: "Ada" });
client.kinds.thumbnails.job("id").${MARK}result();
client.trpc.shop.prices.of.${MARK}query({ width: 320 });
const { ${MARK}mutate } = useCreateJob(client.kinds.thumbnails);
const ${MARK}output = useJob(client.kinds.thumbnails, "id").data?.output;
`;

test("an editor shows the shapes of inputs and outputs, and no schemas", async () => {
  const shown = await hovers(workspace.web, "src/unsaved.ts", HOVERED);
  const [create, greet, result, price, mutate, output] = shown;
  expect(create).toContain(
    ".create(input: { url: string; widths: number[]; }, options?: CreateOptions): Promise<JobHandle<",
  );
  expect(greet).toContain(".create(input: { name: string; from?: string | undefined; }, ");
  expect(result).toContain("): Promise<{ files: string[]; }>");
  expect(price).toContain("input: { width: number; }");
  expect(mutate).toContain("Error, { url: string; widths: number[]; }, unknown>");
  expect(output).toContain("const output: { files: string[]; } | null | undefined");
  expect(`${create}${result}${mutate}`).not.toMatch(/Zod|TRPC|Stored</);
});

test("`@jobwire/client` installs its own packages alone, in 5 MB", async () => {
  const tree = installedTree(workspace.web, "@jobwire/client");
  expect([...tree.keys()].toSorted()).toEqual([
    "@jobwire/client",
    "@trpc/client",
    "@trpc/server",
    "copy-anything",
    "superjson",
  ]);
  expect(await bytesOf(tree)).toBeLessThanOrEqual(MAX_CLIENT_BYTES);
});

test("`jobwire` installs in 60 MB, and zod once for it and the program", async () => {
  const tree = installedTree(workspace.server, "jobwire");
  expect(tree.get("zod")).toBe(join(workspace.server, "node_modules/zod"));
  expect([...tree.keys()].filter((name) => /^(?:@ai-sdk\/|ai$|react|vite)/.test(name))).toEqual([]);
  expect(await bytesOf(tree)).toBeLessThanOrEqual(MAX_JOBWIRE_BYTES);
});

test("an app's bundle has at most 25 kB of the client and its packages, compressed", async () => {
  const entry = join(workspace.web, "only-client.ts");
  await writeFile(entry, 'export * from "@jobwire/client";');
  const { output } = (await build({
    root: workspace.web,
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: "strict" },
    },
  })) as Rolldown.RolldownOutput;
  const bytes = output
    .filter((part) => part.type === "chunk")
    .reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  expect(bytes).toBeGreaterThan(5000);
  expect(bytes).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
});

describe("a server on Express", () => {
  let server: Program;
  beforeAll(async () => {
    const vite = join(workspace.web, "node_modules/vite/bin/vite.js");
    await run(process.execPath, [vite, "build"], { cwd: workspace.web });
    server = await start(["main.ts"], {
      WEB: join(workspace.web, "dist"),
    });
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => server?.stop());

  test("a built app creates a job in the browser, watches it, and shows its result", async () => {
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const { page, close } = await openTestPage(browser);
    await page.goto(server.url);
    await page.getByRole("button", { name: "Make thumbnails" }).click();
    await page.getByText("https://example.com/cat.png?width=640").waitFor();
    expect(await page.locator("#steps").textContent()).toMatch(/^1 of 2(, 2 of 2)+$/);
    expect(await page.locator("#price").textContent()).toBe("1280");
    await page.locator("#older").getByText("DELIVERED 100").waitFor();
    await close();
  });

  test("the hooks create a job in the browser, and show its draft and its output", async () => {
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const { page, close } = await openTestPage(browser);
    await page.goto(server.url);
    await page.getByRole("button", { name: "Greet" }).click();
    await page.getByText("Hello, Ada, from all of us").waitFor();
    await page.getByText("live: 1 job, DELIVERED").waitFor();
    expect(await page.locator("#draft").textContent()).toBe("Hello, Ada");
    await close();
  });

  test("it serves its own routes, and below its path the page with all its files", async () => {
    expect(await (await fetch(`${server.url}/health`)).text()).toBe("healthy");
    const page = await (await fetch(`${server.url}/jobwire/`)).text();
    expect(page).toContain('<base href="/jobwire/" />');
    const files = [...page.matchAll(/(?:src|href)="\.?\/?([^"]*\.(?:js|css|svg))"/g)];
    expect(files.length).toBeGreaterThan(1);
    for (const [, file] of files) {
      expect((await fetch(`${server.url}/jobwire/${file}`)).status, file).toBe(200);
    }
  });

  test("a Socket.IO client reaches it below its path", async () => {
    const socket = io(server.url, { path: "/jobwire/socket.io", forceNew: true });
    onTestFinished(() => void socket.close());
    const connection = new Promise((resolve) => void socket.once("connection", resolve));
    expect(await connection).toMatchObject({ connected: true });
  });
});

const RAN = '{"last":"DELIVERED","output":"Hello, Ada, from all of us"}';

test("a program runs a job on the embedded engine, then listens", async () => {
  const program = await start(["listen.ts"], {});
  expect(program.lines).toEqual([RAN]);
  expect((await fetch(`${program.url}/readyz`)).status).toBe(200);
  expect(await program.stop()).toBe(0);
});

test("a program tests its kinds with the test runner of Node", async () => {
  const { stdout } = await run(
    process.execPath,
    ["--test", "--test-reporter=tap", "test-kinds.ts"],
    {
      cwd: workspace.server,
    },
  );
  expect(stdout).toContain("# pass 4\n# fail 0");
});

test("a program writes an article from the sample pages with the built-in writer", async () => {
  const env = { DATA_DIR: join(workspace.article, "data"), LOG_LEVEL: "warn" };
  const { stdout } = await run(process.execPath, ["article.ts"], { cwd: workspace.article, env });
  expect(JSON.parse(stdout)).toMatchObject({
    status: "DELIVERED",
    writer: "offline",
    hasTitle: true,
    hasLink: true,
  });
});

test("a program runs a job on Redis", async () => {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const program = await start(["listen.ts"], { REDIS_URL: redis.url });
  expect(program.lines).toEqual([RAN]);
  expect(await program.stop()).toBe(0);
});

test("the command starts a server for the kinds of a module", async () => {
  const command = "node_modules/jobwire/bin/jobwire.js";
  const program = await start([command, "start", "jobs.ts"], {
    PORT: "0",
  });
  const { result } = await (await fetch(`${program.url}/trpc/kind.list`)).json();
  const names = result.data.json.map(({ name }: { name: string }) => name);
  expect(names).toEqual(["thumbnails", "greetings"]);
  expect(await program.stop()).toBe(0);
});

/** Resolves to what `jobwire --version` writes. `args`: of Node. */
async function jobwireVersion(...args: string[]): Promise<string> {
  const command = join(workspace.server, "node_modules/.bin/jobwire");
  return run(process.execPath, [...args, command, "--version"]).then(
    ({ stdout }) => stdout,
    ({ stderr }: { stderr: string }) => stderr,
  );
}

test("the command runs on the Node of the program", async () => {
  expect(await jobwireVersion()).toBe(`${pkg.version}\n`);
});

test("the command names the Node that it needs where that is older", async () => {
  const older = "Object.defineProperty(process.versions, 'node', { value: '22.18.0' })";
  const message = "error: jobwire needs Node 24 or newer. This is Node 22.18.0.\n";
  expect(await jobwireVersion("--import", `data:text/javascript,${older}`)).toBe(message);
});
