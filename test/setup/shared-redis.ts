/** One Redis for all tests that run on the redis engine; each has a prefix of its own in it. */
import type { TestProject } from "vitest/node";
import { startRedis } from "#test/redis/server.fixture.ts";
import { findRedis } from "./redis-prerequisite.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const program = findRedis();
  project.provide("redisServer", program);
  const redis = await startRedis(program);
  process.env.TEST_REDIS_URL = redis.url;
  return () => redis.close();
}
