/** Takes a data set from one engine to another. Cursors of before hold after it. */
import { AppError } from "#shared/errors.ts";
import { openExport } from "./sqlite/export.ts";

export interface Migration {
  from: string;
  to: string;
  dataDir: string;
  redisUrl: string | undefined;
  redisPrefix: string;
}

/** Neither the old nor the new data are in use meanwhile. The old ones stay as they are. */
export async function migrateData({
  from,
  to,
  dataDir,
  redisUrl,
  redisPrefix: prefix,
}: Migration): Promise<{ jobs: number; batches: number }> {
  if (from !== "sqlite" || to !== "redis") {
    throw new AppError(
      "BAD_REQUEST",
      `Data cannot be taken from "${from}" to "${to}": there is a way from sqlite to redis only.`,
    );
  }
  if (redisUrl === undefined) {
    throw new AppError("BAD_REQUEST", "Where to? Set REDIS_URL to the Redis that takes the data.");
  }
  const { importToRedis } = await import("./redis/import.ts");
  const source = openExport(dataDir);
  try {
    return await importToRedis(source, { url: redisUrl, prefix });
  } finally {
    source.close();
  }
}
