/**
 * Opens the file. One process holds it: SQLite's exclusive locking mode keeps the kernel's lock on it from the
 * first read on, so a second process is refused, and the lock is gone with its process, also after `kill -9`.
 * A file of another application is recognised before SQLite may touch it.
 */
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { AppError, messageOf } from "#shared/errors.ts";
import { makeDataDirectory } from "./data-directory.ts";
import { damaged, isBusy, isDamage, unusable } from "./errors.ts";
import { APPLICATION_ID, migrate } from "./schema.ts";

export function databasePath(dataDir: string): string {
  return join(dataDir, "jobwire.db");
}

/** `migrates: false` opens the data of another version as they are, for a copy. */
export function openDatabase(dataDir: string, { migrates = true } = {}): DatabaseSync {
  makeDataDirectory(dataDir);
  const path = databasePath(dataDir);
  let db: DatabaseSync | undefined;
  try {
    refuseForeign(path);
    makeFile(path);
    db = new DatabaseSync(path);
    lock(db);
    if (migrates) migrate(db, path);
    // WAL comes after the lock: only then does SQLite do without shared memory.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768");
    return db;
  } catch (cause) {
    db?.close();
    if (cause instanceof AppError) throw cause;
    if (isBusy(cause)) {
      throw unusable(
        path,
        "is in use by another process, or by another server of this one. Only one Jobwire can run on a data directory: " +
          "stop the other one, or set DATA_DIR to another directory.",
        cause,
      );
    }
    if (isDamage(cause)) throw damaged(path, cause);
    throw unusable(
      path,
      `cannot be opened (${messageOf(cause)}). ` +
        "Set DATA_DIR to a directory that this user may read and write, on a disk with room.",
      cause,
    );
  }
}

/** For its owner alone: the directory may be readable by others. SQLite's files beside it get the same mode. */
function makeFile(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
}

function lock(db: DatabaseSync): void {
  db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  const { tables } = db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as {
    tables: number;
  };
  if (tables === 0) db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec("COMMIT");
}

const SMALLEST_PAGE = 512;

/**
 * Reads the header of the file without locks, journals or a write (`immutable`). Through SQLite and not `fs`: a process
 * that closes any descriptor of a file loses its POSIX locks on it, and SQLite defers such closes.
 */
function refuseForeign(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.size === 0) return;
  // A process that died while it made the file leaves a journal, from which SQLite will restore it.
  if (existsSync(`${path}-journal`)) return;
  if (stats.size < SMALLEST_PAGE) throw damaged(path);
  const address = pathToFileURL(path);
  address.searchParams.set("immutable", "1");
  const db = new DatabaseSync(address, { readOnly: true });
  try {
    const found = db.prepare("PRAGMA application_id").get() as { application_id: number };
    if (found.application_id === APPLICATION_ID) return;
  } finally {
    db.close();
  }
  throw unusable(
    path,
    "is a database of another program. Nothing in it was changed. " +
      "Move it away, or set DATA_DIR to another directory.",
  );
}
