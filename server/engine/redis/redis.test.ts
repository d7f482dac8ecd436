/** The contract on a cluster, which refuses what a single Redis takes: commands whose keys are of several slots. */
import { afterAll, inject } from "vitest";
import { redisEngineSuite } from "#test/redis/engine.suite.ts";
import { startRedisCluster } from "#test/redis/cluster.fixture.ts";

const cluster = await startRedisCluster(inject("redisServer"), {
  password: "a secret/with:signs@",
  durable: false,
});
afterAll(() => cluster.close());

redisEngineSuite("redis, a cluster of three with a password", cluster);
