/**
 * Copies the database while it is in use. SQLite copies some pages at a time on another thread, and gives the copy whatever this
 * process writes meanwhile, so that it is the database of the moment in which the last page was copied.
 */
import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import type { Backup } from "#server/engine/backup.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import { databasePath, openDatabase } from "./database.ts";
import { OK, resultCode, unusable } from "./errors.ts";

/** Of 4 KiB. Writes wait while they are copied, which takes about a millisecond. */
const PAGES_AT_ONCE = 256;
/** Transactions take some milliseconds, and may follow each other closely. */
const MOST_STARTS = 1000;
/** Only its owner may read it: it holds what the database holds. */
const MODE = 0o600;

export interface Backups {
  /** As `Engine.backup`. */
  make(path: string, signal?: AbortSignal): Promise<Backup>;
  /** Ends the backup that is being made, which rejects. */
  close(): Promise<void>;
}

export function createBackups(db: DatabaseSync): Backups {
  let making: Promise<Backup> | undefined;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new AppError("UNAVAILABLE", "The server is stopping: there is no backup.");
  }

  async function copy(path: string, signal?: AbortSignal): Promise<Backup> {
    const partial = partialPathOf(path);
    await makeFile(path, partial);
    function goOn(): void {
      assertOpen();
      signal?.throwIfAborted();
    }
    try {
      await copyPages(db, partial, goOn);
      // A copy also ends without an error when its database is closed.
      goOn();
      await syncFile(partial);
      await rename(partial, path);
      await syncDirectory(dirname(path));
      return { bytes: (await stat(path)).size };
    } catch (cause) {
      await removeFiles(partial);
      if (cause instanceof AppError) throw cause;
      throw new AppError("UNAVAILABLE", `${path} was not written (${messageOf(cause)}).`, {
        cause,
      });
    }
  }

  return {
    async make(path, signal) {
      assertOpen();
      if (making !== undefined) {
        throw new AppError("UNAVAILABLE", "Another backup is being made. Wait until it is done.");
      }
      making = copy(path, signal);
      try {
        return await making;
      } finally {
        making = undefined;
      }
    },
    async close() {
      closed = true;
      await making?.catch(() => undefined);
    },
  };
}

/** `goOn` is called after each step, and its error ends the copy. */
async function copyPages(db: DatabaseSync, path: string, goOn: () => void): Promise<void> {
  for (let start = 1; ; start += 1) {
    try {
      await backup(db, path, { rate: PAGES_AT_ONCE, progress: goOn });
      return;
    } catch (error) {
      // A first step that meets a transaction of this process. Node waits for its end in later steps, and fails in that one.
      if (resultCode(error) !== OK || start === MOST_STARTS) throw error;
    }
    goOn();
    await new Promise(setImmediate);
  }
}

/** Rejects with `DATA_UNUSABLE` where nothing is stored, or a process has it open. The data stay of the version that they have. */
export async function backUpStopped(dataDir: string, path: string): Promise<Backup> {
  const stored = databasePath(dataDir);
  if (!existsSync(stored))
    throw unusable(stored, "does not exist, so there is nothing to back up.");
  const db = openDatabase(dataDir, { migrates: false });
  try {
    return await createBackups(db).make(path);
  } finally {
    db.close();
  }
}

/** A backup has its name only when it is whole. */
export function partialPathOf(path: string): string {
  return `${path}.partial`;
}

async function makeFile(path: string, partial: string): Promise<void> {
  if (existsSync(path)) {
    throw new AppError("BAD_REQUEST", `${path} exists. Name a new file, or move that one away.`);
  }
  try {
    await (await open(partial, "wx", MODE)).close();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new AppError(
        "BAD_REQUEST",
        `${partial} exists: another backup is writing it, or one was interrupted. Delete it, or name another file.`,
        { cause },
      );
    }
    throw new AppError(
      "BAD_REQUEST",
      `${path} cannot be written (${messageOf(cause)}). Name a file in a directory that the server may write.`,
      { cause },
    );
  }
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.sync();
}

/** So that the name outlives a loss of power. Windows has no such call, and does without. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  await using directory = await open(path);
  await directory.sync();
}

async function removeFiles(path: string): Promise<void> {
  const files = [path, `${path}-journal`, `${path}-wal`, `${path}-shm`];
  await Promise.all(files.map((file) => rm(file, { force: true })));
}
