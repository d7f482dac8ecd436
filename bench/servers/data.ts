/** Data of a Jobwire in the bench: a directory of its own, or, with `BENCH_ENGINE=redis`, a Redis of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "#test/redis/server.fixture.ts";

export interface BenchData {
  /** Environment for the program. */
  env: { DATA_DIR: string; REDIS_URL?: string };
  remove(): Promise<void>;
}

/** Configured as for BullMQ: an append-only file, flushed once a second. */
export function startBenchRedis() {
  return startRedis("redis-server", { args: ["--appendfsync", "everysec"] });
}

export async function openData(): Promise<BenchData> {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
  const removeDir = () => rm(dataDir, { recursive: true, force: true });
  if (process.env.BENCH_ENGINE !== "redis") {
    return { env: { DATA_DIR: dataDir }, remove: removeDir };
  }
  const { BENCH_REDIS_URL: shared } = process.env;
  const redis = shared === undefined ? await startBenchRedis() : undefined;
  return {
    env: { DATA_DIR: dataDir, REDIS_URL: shared ?? redis?.url ?? "" },
    async remove() {
      await redis?.close();
      await removeDir();
    },
  };
}
