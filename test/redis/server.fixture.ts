/** For tests: a Redis in a temporary directory that a test can kill, pause and start again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "#test/free-port.ts";

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** For reading and damaging stored data. */
  readonly client: Redis;
  start(): Promise<void>;
  /** Kills the process with SIGKILL. */
  kill(): Promise<void>;
  /** Stops the process, so that it keeps its connections but answers nothing. */
  pause(): void;
  resume(): void;
  /** Resolves when the replica has all writes from before the call. */
  replicated(): Promise<void>;
  close(): Promise<void>;
}

/** Returns 0 if nothing matches. */
function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/**
 * `program`: the executable of Redis or Valkey. `durable: false`: it forgets everything when it is killed, and takes less of
 * the processor and the disk.
 */
export async function startRedis(
  program: string,
  options: { args?: readonly string[]; password?: string; durable?: boolean } = {},
): Promise<TestRedis> {
  const { args = [], password, durable = true } = options;
  const dir = await mkdtemp(join(tmpdir(), "jobwire-redis-"));
  const port = await freePort();
  const client = new Redis({
    port,
    ...(password !== undefined && { password }),
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  client.on("error", () => undefined);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const where = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
    const log = durable ? ["--appendonly", "yes", "--appendfsync", "always"] : [];
    const secret = password === undefined ? [] : ["--requirepass", password];
    server = spawn(program, [...where, ...log, ...secret, ...args], { stdio: "ignore" });
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
    url: `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    port,
    client,
    start,
    kill,
    pause: () => void server?.kill("SIGSTOP"),
    resume: () => void server?.kill("SIGCONT"),
    async replicated() {
      // `WAIT` waits only for writes of its own connection, so compare the offset of all writes.
      const written = numberIn(await client.info("replication"), /master_repl_offset:(\d+)/);
      const had = async () => numberIn(await client.info("replication"), /slave0:.*offset=(\d+)/);
      while ((await had()) < written) await delay(10);
    },
    async close() {
      client.disconnect();
      await kill();
      await rm(dir, { recursive: true });
    },
  };
}
