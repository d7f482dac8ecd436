/** Maps SQLite's error codes to `AppError`. https://sqlite.org/rescode.html */
import { AppError, messageOf } from "#shared/errors.ts";

/** Primary result codes: the low byte of the extended ones. */
export const OK = 0;
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

/** For errors of an open database. The message reaches clients, so only the cause, for the log, has the path. */
export function asAppError(thrown: unknown, path: string): AppError {
  if (thrown instanceof AppError) return thrown;
  const cause = new Error(`${path}: ${messageOf(thrown)}`, { cause: thrown });
  switch (resultCode(thrown)) {
    case FULL:
      return new AppError(
        "UNAVAILABLE",
        "The server's disk is full, so nothing was stored. Make room on it and try again.",
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
        "The server cannot read or write its data right now. Its log says why. Try again.",
        { cause },
      );
    case CORRUPT:
    case NOTADB:
      return damaged(path, thrown);
    case undefined:
    default:
      return new AppError("INTERNAL", cause.message, { cause: thrown });
  }
}

/** For a transaction that could not be committed, whatever the reason. */
export function unavailable(path: string, cause: unknown): AppError {
  const error = asAppError(cause, path);
  if (error.code === "UNAVAILABLE" || error.code === "DATA_UNUSABLE") return error;
  return new AppError("UNAVAILABLE", "Nothing was stored. Try again.", { cause: error });
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
