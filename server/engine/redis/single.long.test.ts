/** The contract on a single Redis, on which each run has the tests of the project `redis`. */
import { afterAll, inject } from "vitest";
import { redisEngineSuite } from "#test/redis/engine.suite.ts";
import { startRedis } from "#test/redis/server.fixture.ts";

const redis = await startRedis(inject("redisServer"));
afterAll(() => redis.close());

redisEngineSuite("redis", redis);
