/** Puts a backup in the place of the database, after it has shown to be whole. */
import { constants, existsSync } from "node:fs";
import { chmod, copyFile, link, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Restored } from "#server/engine/backup.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import { databasePath } from "./database.ts";
import { makeDataDirectory } from "./data-directory.ts";
import { unusable } from "./errors.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "./schema.ts";

/** Files that SQLite keeps beside a database which is in use, or was when its process died. */
const BESIDE = ["-wal", "-journal"];

/** As `restore` of the registry of engines. The next start upgrades data of an earlier version. */
export async function restoreBackup(dataDir: string, path: string): Promise<Restored> {
  assertEmpty(dataDir);
  const restored = await check(path);
  makeDataDirectory(dataDir);
  const target = databasePath(dataDir);
  const copy = join(dataDir, `restoring-${process.pid}.db`);
  try {
    await copyFile(path, copy, constants.COPYFILE_EXCL);
    await chmod(copy, 0o600);
    await using file = await open(copy, "r+");
    await file.sync();
    // Unlike `rename` it never replaces the file of a server that started meanwhile.
    await link(copy, target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw occupied(dataDir, cause);
    throw unusable(target, `could not be written (${messageOf(cause)}).`, cause);
  } finally {
    await rm(copy, { force: true });
  }
  return restored;
}

function assertEmpty(dataDir: string): void {
  const path = databasePath(dataDir);
  if ([path, ...BESIDE.map((end) => path + end)].some((file) => existsSync(file))) {
    throw occupied(dataDir);
  }
}

function occupied(dataDir: string, cause?: unknown): AppError {
  return unusable(
    dataDir,
    "holds data already, and nothing in it was changed. Move them away, or set DATA_DIR to another directory.",
    cause,
  );
}

/** Reads the whole file, without a lock or a write. */
async function check(path: string): Promise<Restored> {
  const found = await stat(path).catch((cause: unknown) => {
    throw refused(path, `cannot be read (${messageOf(cause)})`, cause);
  });
  if (!found.isFile()) throw refused(path, "is not a file");
  if (BESIDE.some((end) => existsSync(path + end))) {
    throw refused(path, "is a database in use, or was when its process died, and not a backup");
  }
  const address = pathToFileURL(path);
  address.searchParams.set("immutable", "1");
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(address, { readOnly: true });
    return checkContents(db, path);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw refused(path, `is damaged, or is no backup of Jobwire (${messageOf(cause)})`, cause);
  } finally {
    db?.close();
  }
}

function checkContents(db: DatabaseSync, path: string): Restored {
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  if (pragma("application_id") !== APPLICATION_ID) throw refused(path, "is no backup of Jobwire");
  const version = pragma("user_version") as number;
  if (version > SCHEMA_VERSION) {
    throw refused(
      path,
      `was written by a newer version of Jobwire (its data are of version ${version}, this program knows ${SCHEMA_VERSION})`,
    );
  }
  const fault = pragma("integrity_check(1)");
  if (fault !== "ok") throw refused(path, `is damaged (${String(fault)})`);
  if (pragma("foreign_key_check") !== undefined)
    throw refused(path, "is damaged: rows are missing");
  const { jobs, newest } = db
    .prepare("SELECT count(*) AS jobs, max(created_at) AS newest FROM jobs")
    .get() as { jobs: number; newest: number | null };
  return { jobs, newest: newest === null ? null : new Date(newest) };
}

function refused(path: string, why: string, cause?: unknown): AppError {
  return new AppError("BAD_REQUEST", `${path} ${why}. Nothing was restored.`, { cause });
}
