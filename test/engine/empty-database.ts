/** For tests: an empty database of the embedded engine. Making all tables anew takes longer than most tests do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath, openDatabase } from "#server/engine/sqlite/database.ts";

function makeEmpty(): Buffer {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-empty-"));
  openDatabase(dataDir).close();
  const bytes = readFileSync(databasePath(dataDir));
  rmSync(dataDir, { recursive: true });
  return bytes;
}

let empty: Buffer | undefined;

/** `dataDir`: has none yet. */
export function putEmptyDatabase(dataDir: string): void {
  empty ??= makeEmpty();
  writeFileSync(databasePath(dataDir), empty, { mode: 0o600 });
}
