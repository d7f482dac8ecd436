/** `jobwire start module.ts`, `jobwire worker module.ts`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { createJobwireClient } from "#client/lib/client.ts";
import { COMPILE_CACHE } from "#e2e/compile-cache.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { KindMapOf } from "#server/index.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import { onRedis } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { killOnExit } from "#test/kill-on-exit.ts";
import type { echo, sum } from "./jobs.ts";
import type { jobwire } from "./own-jobwire.ts";

type App = ServerTypes<KindMapOf<[typeof sum, typeof echo]>>;

const MAIN = fileURLToPath(new URL("../../server/command/main.ts", import.meta.url));
const moduleOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function start(args: string[], env: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startServer({ main: MAIN, args, env });
  onTestFinished(() => server.stop());
  return server;
}

function clientOf<Server extends ServerTypes>({ url }: RunningServer) {
  const client = createJobwireClient<Server>({ url });
  onTestFinished(() => client.close());
  return client;
}

/** The exit code and the message of a start that fails. */
async function failing(args: string[]): Promise<{ code: number | null; err: string }> {
  const env = { ...COMPILE_CACHE, DATA_DIR: await folder(), PORT: "0" };
  const child = spawn(process.execPath, [MAIN, ...args], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  killOnExit(child);
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { code: code as number | null, err };
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-start-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test("[E6] a server runs the kinds that a module exports, each once, and stops at SIGTERM", async () => {
  const server = await start(["start", moduleOf("jobs.ts")]);
  const client = clientOf<App>(server);
  const known = await client.trpc.kind.list.query();
  expect(known.map(({ name }) => name).toSorted()).toEqual(["echo", "sum"]);
  expect(await (await client.kinds.sum.create([1, 2, 3])).result()).toBe(6);
  expect(await (await client.kinds.echo.create("x")).result()).toBe("x");
  expect(await server.kill("SIGTERM")).toBe(0);
});

test("[E6] a Jobwire that the module exports is started as it is", async () => {
  const server = await start(["start", moduleOf("own-jobwire.ts")]);
  const client = clientOf<typeof jobwire>(server);
  expect(await client.trpc.hello.query()).toBe("Hello");
  expect(await (await client.kinds.sum.create([2, 2])).result()).toBe(4);
  expect(await server.kill("SIGTERM")).toBe(0);
});

test.runIf(onRedis).each(["jobs.ts", "own-jobwire.ts"])(
  "a worker runs the kinds of %s for a gateway, and has its own metrics",
  async (module) => {
    const gateway = await start(["start", moduleOf(module)], { ROLE: "gateway" });
    const { REDIS_URL = "", REDIS_PREFIX = "" } = gateway.env;
    const METRICS_PORT = String(await freePort());
    await start(["worker", moduleOf(module)], { REDIS_URL, REDIS_PREFIX, METRICS_PORT });
    expect(await (await clientOf<App>(gateway).kinds.sum.create([1, 2])).result()).toBe(3);
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text();
      expect(metrics).toContain('role="worker",engine="redis"} 1');
      expect(metrics).toContain('jobwire_job_run_seconds_count{kind="sum",outcome="delivered"} 1');
    });
  },
);

test.skipIf(onRedis)("a worker without REDIS_URL says what it needs", async () => {
  for (const module of ["jobs.ts", "own-jobwire.ts"]) {
    const { code, err } = await failing(["worker", moduleOf(module)]);
    expect([code, err]).toEqual([78, expect.stringContaining('ROLE="worker" needs REDIS_URL')]);
  }
});

test.skipIf(onRedis).each([
  ["that does not exist", undefined, /^error: There is no module \/.*jobs\.ts\.\n$/],
  ["that exports no kind", "export const x = 1;", /jobs\.ts exports no kind of job/],
  ["that throws", "throw new Error('No key');", /jobs\.ts could not be loaded\.\nError: No key/],
  ["that is no program", "export const = 1;", /jobs\.ts could not be loaded\.[^]*SyntaxError/],
  ["that misses a package", "import 'no-such-package';", /Cannot find package 'no-such-package'/],
])("[E6] a module %s is explained", async (_, source, message) => {
  const file = join(await folder(), "jobs.ts");
  if (source !== undefined) await writeFile(file, source);
  const { code, err } = await failing(["start", file]);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});

test.skipIf(onRedis)("a module that package.json makes CommonJS is explained", async () => {
  const dir = await folder();
  // As `npm init` writes it.
  await writeFile(join(dir, "package.json"), '{ "type": "commonjs" }');
  await writeFile(join(dir, "jobs.ts"), 'import "node:fs"; export const x = 1;');
  const { code, err } = await failing(["start", join(dir, "jobs.ts")]);
  expect([code, err]).toEqual([2, expect.stringContaining("run `npm pkg set type=module`")]);
});

test.skipIf(onRedis)("two kinds of one name stop the start, which names them", async () => {
  const { code, err } = await failing(["start", moduleOf("two-of-one-name.ts")]);
  expect(err).toContain('Two kinds have the name "mail".');
  expect(code).toBe(1);
});
