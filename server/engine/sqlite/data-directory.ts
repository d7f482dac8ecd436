/**
 * Makes the data directory with those above it. Not with `recursive`: Node goes round for ever in a directory that
 * is there and takes no entries, as those in `/proc`.
 */
import { existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf } from "#shared/errors.ts";
import { unusable } from "./errors.ts";

/** Other users of the machine read no data. */
const OF_ITS_USER = 0o700;

/** Throws `DATA_UNUSABLE`, with the path that is in the way. */
export function makeDataDirectory(dataDir: string): void {
  try {
    make(resolve(dataDir), OF_ITS_USER);
  } catch (cause) {
    throw unusable(
      dataDir,
      `cannot be made a data directory (${messageOf(cause)}). ` +
        "Set DATA_DIR to a directory that this user may write.",
      cause,
    );
  }
}

function make(path: string, mode?: number): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw new Error(`${path} is not a directory`);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error(`${path} is a link to something that does not exist`);
  }
  const above = dirname(path);
  if (!existsSync(above)) make(above);
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    throw reasonOf(cause, above);
  }
}

function reasonOf(cause: unknown, above: string): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  // It exists, so what is missing is not it.
  return code === "ENOENT" ? new Error(`${above} takes no directories`, { cause }) : cause;
}
