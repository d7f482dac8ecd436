/** For tests: engines that look for what was left behind all the time, and are closed with their test. */
import { afterEach, beforeEach, inject, onTestFinished } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openRedisEngine, type RedisOptions } from "#server/engine/redis/open.ts";
import { startRedis, type TestRedis } from "./server.fixture.ts";

const BUSY = { checkEveryMs: 20, lateMs: 0 };

export async function openTestEngine(url: string): Promise<Engine> {
  const engine = await openRedisEngine({ url, ...BUSY });
  onTestFinished(() => engine.close());
  return engine;
}

/** Each test has a Redis of its own, and as many engines on it as it opens. */
export function useRedis(options: Omit<RedisOptions, "url"> = BUSY) {
  let redis: TestRedis;
  const opened: Engine[] = [];
  beforeEach(async () => {
    redis = await startRedis(inject("redisServer"));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
    await redis.close();
  });
  return {
    redis: () => redis,
    async open(): Promise<Engine> {
      const engine = await openRedisEngine({ url: redis.url, ...options });
      opened.push(engine);
      return engine;
    },
  };
}
