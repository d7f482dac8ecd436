/** A file that the version before actors and audit lists wrote. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { goesOnFromOldData } from "#test/engine/old-data/old-data.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";

const DUMP = new URL("../../../test/engine/old-data/sqlite-4.sql", import.meta.url);

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "jobwire-old-"));
  const db = new DatabaseSync(databasePath(dataDir), { enableForeignKeyConstraints: false });
  db.exec(await readFile(DUMP, "utf8"));
  db.close();
});
afterEach(() => rm(dataDir, { recursive: true }));

test("[P16] [P17] [S2] its jobs are read, and new events have their actor and details", async () => {
  const engine = await openSqliteEngine({ dataDir });
  await expect(goesOnFromOldData(engine)).resolves.toBeUndefined();
  await engine.close();
});
