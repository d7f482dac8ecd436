import { afterAll, inject } from "vitest";
import { AUDIT_ENTRIES } from "#test/engine/engine.fixture.ts";
import { engineSuite } from "#test/engine/engine.suite.ts";
import { advanceTime } from "#test/redis/advance-time.ts";
import { REDIS } from "./declaration.ts";
import { openRedisEngine } from "./open.ts";
import { startRedisCluster, type TestCluster } from "#test/redis/cluster.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const plain = await startRedis(inject("redisServer"));
const cluster = await startRedisCluster(inject("redisServer"), {
  password: "a secret/with:signs@",
});
afterAll(() => Promise.all([plain.close(), cluster.close()]));

const SUITE = { checkEveryMs: 20, maxAuditEntries: AUDIT_ENTRIES };
let data = 0;
function suite(name: string, redis: TestRedis | TestCluster): void {
  engineSuite({
    name,
    capabilities: REDIS.capabilities,
    async prepare() {
      const prefix = `suite${++data}`;
      return {
        open: () => openRedisEngine({ url: redis.url, prefix, ...SUITE }),
        pass: (ms) => advanceTime(redis, prefix, ms),
        destroy: async () => undefined,
      };
    },
  });
}

suite("redis", plain);
suite("redis, a cluster of three with a password", cluster);
