/** The contract of an engine, on a Redis or on a Redis Cluster. */
import { AUDIT_ENTRIES, WEIGHTS } from "#test/engine/engine.fixture.ts";
import { engineSuite } from "#test/engine/engine.suite.ts";
import { REDIS } from "#server/engine/redis/declaration.ts";
import { mastersOf } from "#server/engine/redis/client.ts";
import { openRedisEngine } from "#server/engine/redis/open.ts";
import { advanceTime } from "./advance-time.ts";
import type { TestCluster } from "./cluster.fixture.ts";
import type { TestRedis } from "./server.fixture.ts";

const SUITE = { checkEveryMs: 20, maxAuditEntries: AUDIT_ENTRIES, weights: WEIGHTS };

/** Each test has data of its own in `redis`, alone: what others left would slow each command that looks at all keys. */
export function redisEngineSuite(name: string, redis: TestRedis | TestCluster): void {
  let data = 0;
  engineSuite({
    name,
    capabilities: REDIS.capabilities,
    async prepare() {
      const prefix = `suite${++data}`;
      return {
        open: () => openRedisEngine({ url: redis.url, prefix, ...SUITE }),
        pass: (ms) => advanceTime(redis, prefix, ms),
        destroy: async () => {
          await Promise.all(mastersOf(redis.client).map((node) => node.flushall("ASYNC")));
        },
      };
    },
  });
}
