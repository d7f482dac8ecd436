/** Data of the engine that the tests run on. The same tests run on each; the vitest project names it in `TEST_ENGINE`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as newId } from "uuid";
import { type Config, loadConfig } from "#server/config.ts";
import { ENGINES } from "#server/engine/index.ts";
import { putEmptyDatabase } from "./empty-database.ts";

export interface TestData {
  /** Variables that select the engine and its data, and others that suit it in tests. */
  env: Record<string, string> & { DATA_DIR: string };
  /** The same, read. */
  config: Config;
  remove(): Promise<void>;
}

export const engineName = process.env.TEST_ENGINE ?? "sqlite";
export const onRedis = engineName === "redis";
/** Several servers may have the same data open. */
export const isMultiProcess = ENGINES.some(
  ({ name, capabilities }) => name === engineName && capabilities.multiProcess,
);

/** For each engine: the variables that select it with data of their own. */
const VARIABLES_OF: Record<string, () => Record<string, string>> = {
  sqlite: () => ({}),
  redis() {
    const { TEST_REDIS_URL: url } = process.env;
    if (url === undefined) throw new Error("The project's global setup has started no Redis.");
    return {
      REDIS_URL: url,
      REDIS_PREFIX: newId(),
      // Tests that kill a server wait that long for its jobs, and there is no other gateway to hand clients to.
      LEASE_MS: "2000",
      HANDOVER_MS: "0",
    };
  },
};

/** Without jobs at first. `isBare`: without any file too, for tests that look whether one is made. */
export async function newTestData({ isBare = false } = {}): Promise<TestData> {
  const variablesOf = VARIABLES_OF[engineName];
  if (variablesOf === undefined)
    throw new Error(`There are no test data for TEST_ENGINE=${engineName}.`);
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-test-"));
  if (engineName === "sqlite" && !isBare) putEmptyDatabase(dataDir);
  const env = { DATA_DIR: dataDir, ...variablesOf() };
  return {
    env,
    config: loadConfig(env),
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}
