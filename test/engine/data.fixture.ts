/**
 * For tests: data for the engine that they run on. The same tests run on each; the vitest project says which in
 * `TEST_ENGINE`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as newId } from "uuid";
import type { EngineConfig } from "#server/engine/index.ts";

export interface TestData {
  config: EngineConfig;
  /** The same for the program. */
  env: Record<string, string> & { DATA_DIR: string };
  remove(): Promise<void>;
}

export const onRedis = process.env.TEST_ENGINE === "redis";

/** Empty at first. */
export async function newTestData(): Promise<TestData> {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-test-"));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  if (!onRedis) return { config: { dataDir }, env: { DATA_DIR: dataDir }, remove };
  const redisUrl = process.env.TEST_REDIS_URL;
  if (redisUrl === undefined) throw new Error("The project's global setup has started no Redis.");
  const redisPrefix = newId();
  return {
    config: { dataDir, redisUrl, redisPrefix },
    env: {
      DATA_DIR: dataDir,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: redisPrefix,
      // Whoever kills a server does not wait half a minute for its jobs, and there is no other to hand clients to.
      LEASE_MS: "2000",
      HANDOVER_MS: "0",
    },
    remove,
  };
}
