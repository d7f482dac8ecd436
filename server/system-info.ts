/** The answer of `system.info`. */
import pkg from "#package.json" with { type: "json" };
import type { SystemInfo } from "#shared/api.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import type { Core } from "./core.ts";

export function systemInfo({ config, engine }: Core): SystemInfo {
  return {
    version: pkg.version,
    engine: engine.name,
    limits: {
      maxBatchJobs: MAX_BATCH_JOBS,
      concurrency: config.CONCURRENCY,
      maxAttempts: config.MAX_ATTEMPTS,
    },
  };
}
