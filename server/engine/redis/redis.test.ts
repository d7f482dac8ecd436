import { afterAll, inject } from "vitest";
import { engineSuite } from "#server/engine/contract.suite.ts";
import { letPass } from "./let-pass.ts";
import { openRedisEngine } from "./open.ts";
import { startRedis, type TestRedis } from "./test-server.ts";

const plain = await startRedis(inject("redisServer"));
// A cluster of one node: it refuses commands and scripts whose keys lie in more than one slot.
const clustered = await startRedis(inject("redisServer"), {
  args: ["--cluster-enabled", "yes"],
  password: "a secret/with:signs@",
});
await clustered.client.cluster("ADDSLOTSRANGE", 0, 16_383);
await clustered.takesCommands();
afterAll(() => Promise.all([plain.close(), clustered.close()]));

let data = 0;
function suite(name: string, redis: TestRedis): void {
  engineSuite({
    name,
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
}

suite("redis", plain);
suite("redis, with a password, as a cluster", clustered);
