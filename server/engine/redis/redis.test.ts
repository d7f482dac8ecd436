import { afterAll, inject } from "vitest";
import { engineSuite } from "#server/engine/contract.suite.ts";
import { openRedisEngine } from "./open.ts";
import { letPass } from "./let-pass.ts";
import { startRedis } from "./test-server.ts";

const redis = await startRedis(inject("redisServer"));
afterAll(() => redis.close());
let data = 0;

engineSuite({
  name: "redis",
  capabilities: { shared: true },
  async prepare() {
    const prefix = `suite${++data}`;
    return {
      open: () => openRedisEngine({ url: redis.url, prefix, checkEveryMs: 20 }),
      pass: (ms) => letPass(redis, prefix, ms),
      destroy: async () => undefined,
    };
  },
});
