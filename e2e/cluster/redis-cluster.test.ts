/** Gateways and workers on a Redis Cluster, configured with one of its nodes: watchers see no difference. */
import { createTRPCClient, httpLink } from "@trpc/client";
import { Emitter } from "@socket.io/redis-emitter";
import { io } from "socket.io-client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { startRedisCluster, type TestCluster } from "#test/redis/cluster.fixture.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { type Cluster, startClusterOn } from "./cluster.ts";
import { type Watcher, OPEN_WATCHER } from "./watchers.ts";

const PATIENCE = { timeout: 120_000, interval: 20 };
const JOBS = 40;

let cluster: Cluster<TestCluster>;
beforeAll(async () => {
  const redis = await startRedisCluster(inject("redisServer"), { password: "secret" });
  cluster = await startClusterOn(redis, { gateways: 2, workers: 2 }, { CONCURRENCY: "10" });
});
afterAll(() => cluster.stop());

test("[S1] [S6] a batch can be watched on every transport while its jobs run in two workers", async () => {
  const client = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${cluster.url}/trpc`, transformer: superjson })],
  });
  const jobs = Array.from({ length: JOBS }, () => ({
    kind: "steps",
    input: { steps: 10, everyMs: 50 },
  }));
  const { id: batchId } = await client.batch.create.mutate({ jobs });
  const { items } = await client.job.list.query({ batchId, limit: JOBS });
  const watchers: Watcher[] = items.flatMap(({ id }) =>
    OPEN_WATCHER.map((watch) => watch(cluster.url, id)),
  );
  onTestFinished(() => watchers.forEach((watcher) => watcher.leave()));
  await Promise.all(watchers.map(({ done }) => done));
  for (const [index, { id }] of items.entries()) {
    const { items: log } = await client.job.events.query({ jobId: id, limit: 100 });
    expect(log.filter(({ type }) => type === "delivered")).toHaveLength(1);
    const mine = watchers.slice(index * OPEN_WATCHER.length, (index + 1) * OPEN_WATCHER.length);
    expect(mine.flatMap((watcher) => watcher.faults(log))).toEqual([]);
  }
  expect(await client.batch.get.query({ batchId })).toMatchObject({ delivered: JOBS });
});

test("[L1] an event that another service emits to any node reaches the clients of every gateway", async () => {
  const told: unknown[] = [];
  const sockets = cluster.gateways.map(({ url }) => {
    const socket = io(url, { transports: ["websocket"], forceNew: true });
    socket.on("notice", (payload: unknown) => told.push(payload));
    onTestFinished(() => void socket.close());
    return socket;
  });
  await vi.waitFor(() => expect(sockets.every(({ connected }) => connected)).toBe(true), PATIENCE);
  for (const [index, { client }] of cluster.redis.nodes.entries()) {
    const emitter = new Emitter(client, { key: "jobwire:socket.io" });
    emitter.emit("notice", { node: index });
    await vi.waitFor(
      () =>
        expect(told.filter((each) => JSON.stringify(each) === `{"node":${index}}`)).toHaveLength(2),
      PATIENCE,
    );
  }
});
