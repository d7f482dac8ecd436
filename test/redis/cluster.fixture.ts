/** For tests: a Redis Cluster. */
import { Cluster } from "ioredis";
import { vi } from "vitest";
import { freePort } from "#test/free-port.ts";
import { startRedis, type TestRedis } from "./server.fixture.ts";

export interface TestCluster {
  /** The URL of one of its nodes. */
  readonly url: string;
  readonly client: Cluster;
  /** Masters first, then their replicas in the same order. */
  readonly nodes: readonly TestRedis[];
  close(): Promise<void>;
}

const SLOTS = 16_384;
const CLUSTER_PATIENCE = { timeout: 120_000, interval: 20 };

/**
 * Starts three masters. With `replicas`, each has one, which takes over a second after its master failed. `durable` is that of
 * `startRedis`.
 */
export async function startRedisCluster(
  program: string,
  { password = "", replicas = false, durable = true } = {},
): Promise<TestCluster> {
  const masters = 3;
  const ports = await Promise.all(Array.from({ length: replicas ? 6 : masters }, freePort));
  // A free port for the cluster bus: Redis' default, the node's port plus 10,000, can exceed 65,535.
  const nodes = await Promise.all(
    ports.map((busPort) => {
      const bus = ["--cluster-port", `${busPort}`, "--cluster-node-timeout", "1000"];
      const auth = password === "" ? [] : ["--masterauth", password];
      const soon = ["--repl-diskless-sync-delay", "0"];
      const args = ["--cluster-enabled", "yes", ...bus, ...auth, ...soon];
      return startRedis(program, { args, durable, ...(password !== "" && { password }) });
    }),
  );
  const [first] = nodes as [TestRedis];
  const ids: string[] = [];
  for (const [index, { client }] of nodes.entries()) {
    await client.cluster("SET-CONFIG-EPOCH", index + 1);
    ids.push(await client.cluster("MYID"));
  }
  for (const [index, { client }] of nodes.slice(0, masters).entries()) {
    const from = Math.ceil((SLOTS * index) / masters);
    const to = Math.ceil((SLOTS * (index + 1)) / masters) - 1;
    await client.cluster("ADDSLOTSRANGE", from, to);
  }
  for (const [index, { port }] of nodes.entries()) {
    await first.client.call("CLUSTER", "MEET", "127.0.0.1", port, ports[index] ?? 0);
  }
  const know = (words: string) =>
    vi.waitFor(async () => {
      const all = await Promise.all(nodes.map(({ client }) => client.cluster("INFO")));
      if (!all.every((info) => info.includes(words))) throw new Error(`Not yet: ${words}`);
    }, CLUSTER_PATIENCE);
  await know(`cluster_known_nodes:${nodes.length}`);
  await know("cluster_state:ok");
  for (const [index, replica] of nodes.slice(masters).entries()) {
    await replica.client.cluster("REPLICATE", ids[index] ?? "");
    await vi.waitFor(async () => {
      const info = await replica.client.info("replication");
      if (!info.includes("master_link_status:up"))
        throw new Error("The replica has not synchronised yet.");
    }, CLUSTER_PATIENCE);
  }
  const client = new Cluster([first.url], {
    redisOptions: { ...(password !== "" && { password }) },
  });
  client.on("error", () => undefined);
  return {
    url: first.url,
    client,
    nodes,
    async close() {
      client.disconnect();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}
