/** What SQLite's error codes mean for callers. https://sqlite.org/rescode.html */
import { AppError, messageOf } from "#shared/errors.ts";

/** Primary result codes: the low byte of the extended ones. */
const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** The primary result code of an error that SQLite raised, `undefined` of any other. */
export function resultCode(thrown: unknown): number | undefined {
  const errcode = (thrown as { errcode?: unknown } | null)?.errcode;
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

export function isBusy(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === BUSY || code === LOCKED;
}

export function isDamage(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === CORRUPT || code === NOTADB;
}

/** For errors of a database that was opened well. */
export function asAppError(cause: unknown, path: string): AppError {
  if (cause instanceof AppError) return cause;
  switch (resultCode(cause)) {
    case FULL:
      return new AppError(
        "UNAVAILABLE",
        `The disk that holds ${path} is full, so nothing was stored. Make room on it and try again.`,
        { cause },
      );
    case BUSY:
    case LOCKED:
    case NOMEM:
    case READONLY:
    case IOERR:
    case CANTOPEN:
      return new AppError(
        "UNAVAILABLE",
        `${path} cannot be read or written right now (${messageOf(cause)}). ` +
          "Check the disk and the rights on the file, then try again.",
        { cause },
      );
    case CORRUPT:
    case NOTADB:
      return damaged(path, cause);
    case undefined:
    default:
      return new AppError("INTERNAL", `${path}: ${messageOf(cause)}`, { cause });
  }
}

/** For a transaction that could not be committed, whatever the reason. */
export function unavailable(path: string, cause: unknown): AppError {
  const error = asAppError(cause, path);
  if (error.code === "UNAVAILABLE" || error.code === "DATA_UNUSABLE") return error;
  return new AppError("UNAVAILABLE", `Nothing was stored: ${error.message}. Try again.`, { cause });
}

export function damaged(path: string, cause?: unknown): AppError {
  return unusable(
    path,
    "is damaged, or is no Jobwire database. Nothing in it was changed. " +
      "Restore it from a backup, move it away to start empty, or set DATA_DIR to another directory.",
    cause,
  );
}

export function unusable(path: string, why: string, cause?: unknown): AppError {
  return new AppError("DATA_UNUSABLE", `${path} ${why}`, { cause });
}
