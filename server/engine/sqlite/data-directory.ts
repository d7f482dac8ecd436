/**
 * Creates the data directory and its parents. Not with `recursive`: Node loops for ever in an existing directory that
 * takes no entries, such as those in `/proc`.
 */
import { existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf } from "#shared/errors.ts";
import { unusable } from "./errors.ts";

/** For its owner alone: other users of the machine cannot read the data. */
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
  // The directory exists, so the error is about something else.
  return code === "ENOENT" ? new Error(`${above} takes no directories`, { cause }) : cause;
}
