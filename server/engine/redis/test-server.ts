/** For tests: a Redis of their own, in a temporary directory, that can be stopped, paused and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { inject, vi } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The program. */
    redisServer: string;
  }
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** For looking at what is stored, and for making trouble. */
  readonly client: Redis;
  start(): Promise<void>;
  /** At once, without saying goodbye. */
  kill(): Promise<void>;
  /** It goes on to hold its connections and answers nothing. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export async function startRedis(args: readonly string[] = []): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-redis-"));
  const port = await freePort();
  const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on("error", () => undefined);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
    const durable = ["--appendonly", "yes", "--appendfsync", "everysec"];
    server = spawn(inject("redisServer"), [...options, ...durable, ...args], { stdio: "ignore" });
    await client.ping();
  }
  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    client,
    start,
    kill,
    pause: () => void server?.kill("SIGSTOP"),
    resume: () => void server?.kill("SIGCONT"),
    async close() {
      client.disconnect();
      await kill();
      await rm(dir, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

/**
 * Makes everything in a queue that expires `ms` older, and waits until what nobody holds by that is back in the queue.
 */
export async function letPass(
  { client, url }: TestRedis,
  prefix: string,
  ms: number,
): Promise<void> {
  const queue = `{${prefix}}:jobs:`;
  for (const key of await client.keys(`${queue.replaceAll(/[{}]/g, "?")}*:lock`)) {
    const left = await client.pttl(key);
    await (left > ms ? client.pexpire(key, left - ms) : client.del(key));
  }
  const abandoned = async () => {
    const active = await client.lrange(`${queue}active`, 0, -1);
    const locks = await Promise.all(active.map((id) => client.exists(`${queue}${id}:lock`)));
    return locks.filter((lock) => lock === 0).length;
  };
  if ((await abandoned()) === 0) return;
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const options = { stalledInterval: 2, maxStalledCount: Number.MAX_SAFE_INTEGER };
  const worker = new Worker("jobs", null, {
    connection,
    prefix: `{${prefix}}`,
    autorun: false,
    ...options,
  });
  void worker.startStalledCheckTimer();
  await vi.waitFor(
    async () => {
      if ((await abandoned()) > 0) throw new Error("Entries without a lock are still active.");
    },
    { timeout: 10_000, interval: 2 },
  );
  await worker.close(true);
  connection.disconnect();
}
