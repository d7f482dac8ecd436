/** BullMQ as in its documentation, on a Redis of its own whose append-only file is flushed once a second. */
import { Queue as BullQueue, Worker } from "bullmq";
import { answerCalls } from "#bench/program.ts";
import { startBenchRedis } from "./data.ts";
import { CONCURRENCY, type Queue } from "./queue.ts";

const NAME = "bench";

const redis = await startBenchRedis();
const connection = { host: "127.0.0.1", port: redis.port };
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
  await redis.close();
});
