/** Files that earlier versions wrote: the first one, and the one before actors and audit lists. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { goesOnFromOldData } from "#test/engine/old-data/old-data.ts";
import { backUpStopped } from "./backup.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";
import { restoreBackup } from "./restore.ts";

const DUMPS = new URL("../../../test/engine/old-data/", import.meta.url);

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "jobwire-old-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function writeOldFile(dump: string): Promise<void> {
  const db = new DatabaseSync(databasePath(dataDir), { enableForeignKeyConstraints: false });
  db.exec(await readFile(new URL(dump, DUMPS), "utf8"));
  db.close();
}

test.each(["sqlite-1.sql", "sqlite-4.sql"])(
  "[P16] [P17] [S2] the jobs of %s are read, and new events have their actor and details",
  async (dump) => {
    await writeOldFile(dump);
    const engine = await openSqliteEngine({ dataDir });
    await expect(goesOnFromOldData(engine)).resolves.toBeUndefined();
    await engine.close();
  },
);

test("[J19] a backup of the first version is restored, and upgraded by the next start", async () => {
  await writeOldFile("sqlite-1.sql");
  const backup = join(dataDir, "backup.db");
  await backUpStopped(dataDir, backup);
  const restored = join(dataDir, "restored");
  expect(await restoreBackup(restored, backup)).toMatchObject({ jobs: 3 });
  const engine = await openSqliteEngine({ dataDir: restored });
  await expect(goesOnFromOldData(engine)).resolves.toBeUndefined();
  await engine.close();
});
