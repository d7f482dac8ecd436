/** For tests: engines that constantly look which tenants have work. Each closes with its test. */
import { afterAll, afterEach, beforeAll, beforeEach, inject, onTestFinished } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openRedisEngine, type RedisOptions } from "#server/engine/redis/open.ts";
import { startRedis, type TestRedis } from "./server.fixture.ts";

const BUSY = { checkEveryMs: 20 };

export async function openTestEngine(url: string): Promise<Engine> {
  const engine = await openRedisEngine({ url, ...BUSY });
  onTestFinished(() => engine.close());
  return engine;
}

/** All tests of a file share one Redis, which is emptied before each. A test can open several engines on it. */
export function useRedis(options: Omit<RedisOptions, "url"> = BUSY) {
  let redis: TestRedis;
  const opened: Engine[] = [];
  beforeAll(async () => {
    redis = await startRedis(inject("redisServer"));
  });
  afterAll(() => redis.close());
  beforeEach(async () => {
    await redis.client.flushall();
    await redis.client.config("RESETSTAT");
  });
  afterEach(async () => {
    redis.resume();
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  return {
    redis: () => redis,
    async open(more: Omit<RedisOptions, "url"> = {}): Promise<Engine> {
      const engine = await openRedisEngine({ url: redis.url, ...options, ...more });
      opened.push(engine);
      return engine;
    },
  };
}
