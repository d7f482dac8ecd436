/** Gateways behind HAProxy, workers, and a Redis: each a process that a test can kill and restart. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject, vi } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import { freePort } from "#test/free-port.ts";

export interface Cluster<R = TestRedis> {
  /** HAProxy's URL. */
  readonly url: string;
  readonly redis: R;
  readonly gateways: readonly RunningServer[];
  readonly workers: readonly RunningServer[];
  stop(): Promise<void>;
}

const APP = fileURLToPath(new URL("app.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deploy/haproxy.cfg", import.meta.url));

interface Size {
  gateways: number;
  workers: number;
}

export async function startCluster(size: Size, env: Record<string, string> = {}): Promise<Cluster> {
  return startClusterOn(await startRedis(inject("redisServer")), size, env);
}

export async function startClusterOn<R extends { url: string; close(): Promise<void> }>(
  redis: R,
  size: Size,
  env: Record<string, string> = {},
): Promise<Cluster<R>> {
  const started: RunningServer[] = [];
  async function start(role: string, name: string): Promise<RunningServer> {
    const common = { REDIS_URL: redis.url, LEASE_MS: "2000", ROLE: role, NODE_NAME: name };
    const server = await startServer({ main: APP, env: { ...common, ...env } });
    started.push(server);
    return server;
  }
  const [gateways, workers] = await Promise.all([
    Promise.all(names("gateway", size.gateways).map((name) => start("gateway", name))),
    Promise.all(names("worker", size.workers).map((name) => start("worker", name))),
  ]);
  const haproxy = await startHaproxy(gateways.map(({ url }) => new URL(url).host));
  return {
    url: haproxy.url,
    redis,
    gateways,
    workers,
    async stop() {
      await haproxy.stop();
      await Promise.all(started.map((server) => server.stop()));
      await redis.close();
    },
  };
}

function names(role: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
}

/** Runs `deploy/`'s configuration with these gateways in place of its own. */
async function startHaproxy(hosts: string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-haproxy-"));
  const path = join(dir, "haproxy.cfg");
  const port = await freePort();
  const deployed = await readFile(CONFIG, "utf8");
  const [head = ""] = deployed
    .replace("bind :8080", `bind 127.0.0.1:${port}`)
    .split("  use-server");
  const servers = hosts.map((host, index) => {
    const name = `gateway-${index + 1}`;
    const address = host.replace("localhost", "127.0.0.1");
    return [
      `  use-server ${name} if { urlp(sid) -m beg ${name}. }`,
      `  use-server ${name}-anyway if { urlp(sid) -m beg ${name}. }`,
      `  server ${name} ${address}`,
      `  server ${name}-anyway ${address} no-check backup`,
      "",
    ].join("\n");
  });
  await writeFile(path, head + servers.join(""));
  const url = `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(inject("haproxy"), ["-db", "-f", path], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`HAProxy ended: ${stderr}`);
      const { status } = await fetch(`${url}/readyz`);
      if (status !== 200) throw new Error(`HAProxy has no gateway: ${status}`);
    },
    { timeout: 120_000, interval: 20 },
  );
  return {
    url,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      await rm(dir, { recursive: true });
    },
  };
}
