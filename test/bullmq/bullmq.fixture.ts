/** For tests: BullMQ's own queues and workers on a Redis of theirs, and a user of it who may only read. */
import { randomUUID } from "node:crypto";
import { FlowProducer, type Processor, Queue, Worker, type WorkerOptions } from "bullmq";
import { onTestFinished } from "vitest";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

export interface BullmqRedis extends TestRedis {
  /** Of a user with read rights alone. */
  readonly readOnlyUrl: string;
  /** The commands that this user tried beyond its rights. */
  refused(): Promise<unknown[]>;
  /** A queue of a new name, with what a test does to it. All of it is closed with the test. */
  queue(name?: string): TestQueue;
  flow(): FlowProducer;
}

export interface TestQueue {
  readonly name: string;
  readonly queue: Queue;
  /** Runs its jobs, in this process. */
  work(processor: Processor, options?: Omit<WorkerOptions, "connection">): Worker;
}

const READER = "watcher";
const PASSWORD = "reads";

export async function startBullmqRedis(program: string): Promise<BullmqRedis> {
  // Names of its own for what the document says: the rights of the guide.
  const user = `user ${READER} on >${PASSWORD} ~* resetchannels ${READ_RIGHTS}`;
  const redis = await startRedis(program, { args: user.split(" ").reduce(asArguments, []) });
  const connection = { host: "127.0.0.1", port: redis.port, maxRetriesPerRequest: null };
  return {
    ...redis,
    readOnlyUrl: `redis://${READER}:${PASSWORD}@127.0.0.1:${redis.port}`,
    refused: async () => (await redis.client.acl("LOG")) as unknown[],
    queue(name = `q-${randomUUID().slice(0, 8)}`) {
      const queue = new Queue(name, { connection });
      queue.on("error", () => undefined);
      onTestFinished(() => queue.close());
      return {
        name,
        queue,
        work(processor, options) {
          const worker = new Worker(name, processor, { connection, ...options });
          worker.on("error", () => undefined);
          onTestFinished(() => worker.close(true));
          return worker;
        },
      };
    },
    flow() {
      const producer = new FlowProducer({ connection });
      onTestFinished(() => producer.close());
      return producer;
    },
  };
}

/** As docs/from-bullmq.md gives them. */
export const READ_RIGHTS = "+@read +@connection +multi +exec";

/** `--user` takes the words of its value as arguments of their own. */
function asArguments(args: string[], word: string): string[] {
  return [...args, args.length === 0 ? `--${word}` : word];
}
