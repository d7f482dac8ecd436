/** How full the store is: its files, their disk, and the jobs that are not settled. */
import { stat, statfs } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import type { StorageState } from "#server/engine/storage.ts";

/** `path`: of the database. Rejects with the errors of SQLite and of the file system. */
export function createStorage(db: DatabaseSync, path: string): () => Promise<StorageState> {
  // A row for each tenant that has anything.
  const unsettled = db.prepare("SELECT coalesce(sum(waiting), 0) AS jobs FROM tenant_usage");
  return async () => {
    const { jobs } = unsettled.get() as { jobs: number };
    const [disk, ...sizes] = await Promise.all([
      statfs(path),
      sizeOf(path),
      // Some megabytes that are not yet in the file.
      sizeOf(`${path}-wal`),
    ]);
    const { bsize, blocks, bavail } = disk;
    return {
      unsettledJobs: jobs,
      bytes: sizes.reduce((sum, each) => sum + each, 0),
      // Room that only root may use is not free.
      disk: { freeBytes: bavail * bsize, sizeBytes: blocks * bsize },
    };
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
