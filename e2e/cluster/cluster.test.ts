/** Every process is killed repeatedly, Redis too: no job is lost or done twice, and all watchers see the same events. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, expect, test, vi } from "vitest";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { timesOf } from "#test/long-run.ts";
import type { JobEvent } from "#shared/events.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Watcher, OPEN_WATCHER } from "./watchers.ts";

const BATCHES = 10;
const BATCH_JOBS = timesOf(12, 50);
const JOBS = BATCHES * BATCH_JOBS;
const WATCHERS = timesOf(50, 200);
/** The process to kill once the given percentage of the jobs is settled. */
const KILLS: [percent: number, who: "gateway" | "worker" | "redis"][] = [
  [4, "gateway"],
  [12, "worker"],
  [22, "gateway"],
  [32, "worker"],
  [42, "redis"],
  [56, "gateway"],
  [66, "worker"],
  [76, "gateway"],
  [86, "worker"],
];

let cluster: Cluster;
const watchers: Watcher[] = [];
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.leave();
  await cluster.stop();
});

function clientOf(url: string) {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson })],
  });
}
type Client = ReturnType<typeof clientOf>;

/** Retries with the same idempotency key until the server answers. */
async function createBatch(client: Client, name: string): Promise<string> {
  const jobs = Array.from({ length: BATCH_JOBS }, () => ({
    kind: "steps",
    input: { steps: 12, everyMs: 80 },
  }));
  const { id } = await vi.waitFor(
    () => client.batch.create.mutate({ name, idempotencyKey: name, jobs }),
    { timeout: 120_000 },
  );
  return id;
}

async function jobsOf(client: Client, batchId: string): Promise<string[]> {
  const { items } = await vi.waitFor(() => client.job.list.query({ batchId, limit: 100 }));
  return items.map(({ id }) => id);
}

async function settled(client: Client, batchIds: readonly string[]): Promise<number> {
  const batches = await Promise.all(batchIds.map((batchId) => client.batch.get.query({ batchId })));
  return batches.reduce((sum, { completed }) => sum + completed, 0);
}

/** Alternately drops hints and repeats old ones late and out of order. Returns a function that stops it. */
function disturbHints({ redis }: Cluster): () => void {
  let turn = 0;
  let repeated = 0;
  const timer = setInterval(() => {
    turn += 1;
    // A gateway whose connection was cut has reconnected a few turns later.
    const done = turn % 5 === 0 ? cutHints(redis) : repeatHints(redis);
    // Fails while Redis is down.
    done.then((count) => (repeated += count)).catch(() => undefined);
  }, 100);
  return () => {
    clearInterval(timer);
    expect(repeated).toBeGreaterThan(JOBS);
  };
}

async function cutHints({ client }: Cluster["redis"]): Promise<number> {
  await client.client("KILL", "TYPE", "PUBSUB");
  return 0;
}

/** Resolves to the number of repeated hints. */
async function repeatHints({ client }: Cluster["redis"]): Promise<number> {
  const channels = (await client.pubsub("SHARDCHANNELS", "*:hint:job:*")) as string[];
  let repeated = 0;
  for (const channel of channels.slice(0, 50)) {
    const events = await client.lrange(channel.replace(":hint:job:", ":log:"), 0, -1);
    const event = events[Math.floor(Math.random() * events.length)];
    if (event === undefined) continue;
    await client.spublish(channel, event);
    repeated += 1;
  }
  return repeated;
}

/** Hints are lost, doubled and late from the kill with this index on. */
const DISTURBED_FROM = 5;

/** Resolves to the faults of all watchers' records. */
async function run(): Promise<string[]> {
  cluster = await startCluster(
    { gateways: 3, workers: 2 },
    { CONCURRENCY: "8", MAX_ATTEMPTS: "100" },
  );
  const client = clientOf(cluster.url);
  // Runs while its worker is killed, whatever the others do then: each worker is killed at least once.
  const gate = join(cluster.workers[0]?.dataDir ?? "", "gate");
  const input = { steps: 1, everyMs: 1, after: gate };
  const { id: heldId } = await client.job.create.mutate({ kind: "steps", input });
  await vi.waitFor(async () =>
    expect(await client.job.get.query({ jobId: heldId })).toMatchObject({ status: "PROCESSING" }),
  );
  const names = Array.from({ length: BATCHES }, (_, index) => `batch ${index}`);
  const batchIds = await Promise.all(names.map((name) => createBatch(client, name)));
  const jobIds = (await Promise.all(batchIds.map((id) => jobsOf(client, id)))).flat();
  expect(new Set(jobIds).size).toBe(JOBS);
  for (let index = 0; index < WATCHERS; index += 1) {
    const watch = OPEN_WATCHER[index % OPEN_WATCHER.length] as (typeof OPEN_WATCHER)[number];
    // Some jobs have many watchers, most have one, some have none.
    const jobId = jobIds[(index * 7) % (index % 3 === 0 ? 10 : JOBS)] as string;
    watchers.push(watch(cluster.url, jobId));
  }

  let stopDisturbing: (() => void) | undefined;
  const { gateways, workers, redis } = cluster;
  for (const [turn, [percent, who]] of KILLS.entries()) {
    await vi.waitFor(
      async () =>
        expect(await settled(client, batchIds)).toBeGreaterThanOrEqual((JOBS * percent) / 100),
      { timeout: 120_000, interval: 20 },
    );
    if (turn === DISTURBED_FROM) stopDisturbing = disturbHints(cluster);
    if (who === "redis") {
      await redis.kill();
      await redis.start();
    } else {
      const among = who === "gateway" ? gateways : workers;
      const victim = among[turn % among.length];
      await victim?.kill("SIGKILL");
      await victim?.restart();
    }
  }
  await vi.waitFor(async () => expect(await settled(client, batchIds)).toBe(JOBS), {
    timeout: 120_000,
    interval: 50,
  });
  await writeFile(gate, "");
  await vi.waitFor(async () =>
    expect(await client.job.get.query({ jobId: heldId })).toMatchObject({ status: "DELIVERED" }),
  );
  stopDisturbing?.();
  await Promise.all(watchers.map(({ done }) => done));

  const logs = new Map<string, JobEvent[]>();
  for (const jobId of [heldId, ...jobIds]) {
    const { items: log } = await client.job.events.query({ jobId, limit: 1000 });
    logs.set(jobId, log);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(log.filter(({ type }) => type === "delivered")).toHaveLength(1);
    expect(log.at(-1)?.type).toBe("delivered");
    const starts = log.filter(({ type }) => type === "started").map(({ attempt }) => attempt);
    expect(starts).toEqual(starts.map((_, index) => index + 1));
  }
  expect(logs.get(heldId)?.at(-1)?.attempt).toBeGreaterThan(1);
  return watchers.flatMap((watcher) => watcher.faults(logs.get(watcher.jobId) ?? []));
}

test("[S1] [S2] [S3] [S5] [S6] [S9] [S10] [S11] [J3] [J5] [J6] watchers see the whole log while gateways, workers and Redis are killed, then while hints are lost, doubled and late too", async () => {
  expect(await run()).toEqual([]);
}, 300_000);
