/** Examines the data directory: the folder, its disk, and the database in it. */
import { constants } from "node:fs";
import { access, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ExaminationOptions } from "#server/engine/examination.ts";
import { messageOf } from "#shared/errors.ts";
import { type Advice, fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { databasePath } from "./database.ts";
import { diskKind, freeSpace } from "./examine-disk.ts";
import { examineDatabase } from "./examine-database.ts";

/** Bits of a mode that let others than the owner in. */
const OTHERS = 0o077;

const DATA: Advice[1] = "docs/operations.md#data";

export async function examineDataDirectory(
  dataDir: string,
  { isServed }: Pick<ExaminationOptions, "isServed">,
): Promise<Finding[]> {
  const path = resolve(dataDir);
  const found = await stat(path).catch((error: unknown) => error as NodeJS.ErrnoException);
  if (found instanceof Error) return absent(path, found);
  if (!found.isDirectory()) {
    return [
      fail("data directory", `${path} is not a directory`, [
        "Move it away, or set DATA_DIR to another directory.",
        DATA,
      ]),
    ];
  }
  const parts = await Promise.all([
    directory(path, found),
    disk(path),
    leftovers(path),
    fileModes(path),
  ]);
  return [...parts.flat(), ...(await database(path, isServed))];
}

async function absent(path: string, { code, message }: NodeJS.ErrnoException): Promise<Finding[]> {
  const name = "data directory";
  if (code !== "ENOENT") {
    return [
      fail(name, `${path} cannot be read (${message})`, [
        "Run this command as the user that runs the server, or set DATA_DIR to another directory.",
        DATA,
      ]),
    ];
  }
  for (let above = dirname(path); ; above = dirname(above)) {
    try {
      await access(above, constants.W_OK | constants.X_OK);
      const found = ok(name, `${path} does not exist yet; the first start makes it`);
      return [found, ...(await disk(above))];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && dirname(above) !== above) continue;
      return [
        fail(name, `${path} does not exist, and ${above} takes no directories of this user`, [
          `Make ${path} for the user that runs the server, or set DATA_DIR to another directory.`,
          DATA,
        ]),
      ];
    }
  }
}

async function directory(path: string, stats: { uid: number; mode: number }): Promise<Finding[]> {
  const name = "data directory";
  const findings: Finding[] = [];
  const user = process.getuid?.();
  if (user !== undefined && user !== stats.uid) {
    findings.push(
      warn(name, `${path} belongs to user ${stats.uid}, and this command runs as user ${user}`, [
        "Run it as the user that runs the server: what this user may do says nothing about that one.",
        DATA,
      ]),
    );
  }
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    findings.push(
      fail(name, `${path} may not be written by this user`, [
        `Give it to the user that runs the server: chown -R USER ${path}`,
        DATA,
      ]),
    );
  }
  if (process.platform !== "win32" && (stats.mode & OTHERS) !== 0) {
    findings.push(
      warn(name, `${path} is open to other users of this machine (mode ${modeOf(stats)})`, [
        `chmod 700 ${path}`,
        DATA,
      ]),
    );
  }
  return findings.length > 0 ? findings : [ok(name, `${path}, for its user alone`)];
}

async function fileModes(path: string): Promise<Finding[]> {
  const file = databasePath(path);
  const stats = await stat(file).catch(() => undefined);
  if (process.platform === "win32" || stats === undefined || (stats.mode & OTHERS) === 0) return [];
  return [
    warn("data files", `${file} is open to other users of this machine (mode ${modeOf(stats)})`, [
      `chmod 600 ${file}*`,
      DATA,
    ]),
  ];
}

function modeOf({ mode }: { mode: number }): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

async function disk(path: string): Promise<Finding[]> {
  try {
    const { type, bavail, bsize } = await statfs(path);
    const stored = await stat(databasePath(path)).catch(() => ({ size: 0 }));
    return [diskKind(path, type), freeSpace(bavail * bsize, stored.size)];
  } catch (error) {
    return [skip("disk", `${path} could not be examined (${messageOf(error)})`)];
  }
}

/** Files of a backup or a restore that was interrupted. */
const LEFTOVER = /^restoring-\d+\.db$|\.partial(?:-journal|-wal|-shm)?$/;

async function leftovers(path: string): Promise<Finding[]> {
  const names = await readdir(path).catch(() => []);
  const left = names.filter((name) => LEFTOVER.test(name)).map((name) => join(path, name));
  if (left.length === 0) return [];
  return [
    warn("data leftovers", `of an interrupted backup or restore: ${left.join(", ")}`, [
      "Delete them, unless a backup is being made right now.",
      "docs/operations.md#backup",
    ]),
  ];
}

async function database(path: string, isServed: boolean): Promise<Finding[]> {
  const name = "database";
  const file = databasePath(path);
  try {
    await stat(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT"
      ? [ok(name, `${file} does not exist yet; the first start makes it`)]
      : [skip(name, `could not be examined (${message})`)];
  }
  if (isServed) {
    return [ok(name, `${file} is open in a running server, which has just read from it`)];
  }
  return examineDatabase(path, file);
}
