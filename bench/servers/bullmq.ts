/** BullMQ as its documentation has it, with a Redis of its own that keeps an append-only file, flushed once a second. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { answerCalls } from "#bench/program.ts";
import { freePort } from "./other-process.ts";
import { CONCURRENCY, type Queue } from "./queue.ts";

/** What is used of the package, which is loaded where it is installed. */
interface BullMQ {
  Queue: new (
    name: string,
    options: object,
  ) => {
    addBulk(jobs: { name: string; data: unknown; opts: object }[]): Promise<unknown>;
    close(): Promise<void>;
  };
  Worker: new (
    name: string,
    work: () => Promise<null>,
    options: object,
  ) => {
    on(event: "completed", listener: () => void): void;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  };
}

const NAME = "bench";
const PACKAGE: string = "bullmq";
const { Queue: BullQueue, Worker } = (await import(PACKAGE)) as BullMQ;

const dir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
const port = await freePort();
const redis = await startRedis();
const connection = { host: "127.0.0.1", port };
const queue = new BullQueue(NAME, { connection });
let completed = 0;
const worker = new Worker(NAME, async () => null, { connection, concurrency: CONCURRENCY });
let onCompleted = () => {};
worker.on("completed", () => {
  completed += 1;
  onCompleted();
});
await worker.waitUntilReady();

const program: Queue = {
  async run({ jobs }) {
    const { promise, resolve } = Promise.withResolvers<void>();
    completed = 0;
    onCompleted = () => {
      if (completed === jobs) resolve();
    };
    const begin = performance.now();
    await queue.addBulk(
      Array.from({ length: jobs }, (_, n) => ({ name: "noop", data: { n }, opts: {} })),
    );
    await promise;
    return performance.now() - begin;
  },
};
answerCalls(program, async () => {
  await worker.close();
  await queue.close();
  const gone = once(redis, "close");
  redis.kill();
  await gone;
  await rm(dir, { recursive: true, force: true });
});

async function startRedis(): Promise<ChildProcess> {
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  process.on("exit", () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes("Ready to accept connections")) break;
  }
  child.stdout.resume();
  return child;
}
