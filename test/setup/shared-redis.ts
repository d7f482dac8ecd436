/** Starts one Redis for all tests of the project; each test has its own key prefix. */
import type { TestProject } from "vitest/node";
import { startRedis } from "#test/redis/server.fixture.ts";
import { findRedis, provideOpenssl } from "./redis-prerequisite.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const program = findRedis();
  project.provide("redisServer", program);
  provideOpenssl(project);
  const redis = await startRedis(program, { durable: false });
  process.env.TEST_REDIS_URL = redis.url;
  return () => redis.close();
}
