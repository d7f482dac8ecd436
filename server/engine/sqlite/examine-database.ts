/** Examines a database that no server has open: its version, and whether it is whole. */
import type { DatabaseSync } from "node:sqlite";
import { AppError, messageOf } from "#shared/errors.ts";
import { fail, type Finding, ok, warn } from "#shared/finding.ts";
import { openDatabase } from "./database.ts";
import { SCHEMA_VERSION } from "./schema.ts";

/** No further table is read after this time. SQLite cannot be stopped within one. */
const PATIENCE_MS = 10_000;

/** Opens the data without an upgrade, and holds their lock meanwhile. */
export async function examineDatabase(
  dataDir: string,
  file: string,
  patienceMs = PATIENCE_MS,
): Promise<Finding[]> {
  let db: DatabaseSync;
  try {
    db = openDatabase(dataDir, { migrates: false });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [
      fail("database", error.message, [
        "If it is damaged, restore a backup. If a process has it open that does not answer on its control socket, stop that process.",
        "docs/troubleshooting.md#the-database-is-locked-or-damaged",
      ]),
    ];
  }
  try {
    return [versionOf(db, file), await integrityOf(db, file, patienceMs)];
  } finally {
    db.close();
  }
}

function versionOf(db: DatabaseSync, file: string): Finding {
  const name = "database version";
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (version > SCHEMA_VERSION) {
    return fail(
      name,
      `${file} is of a newer version of Jobwire (its data are of version ${version}, this program knows ${SCHEMA_VERSION})`,
      [
        "Run the newer version, or restore the backup from before the upgrade.",
        "docs/operations.md#upgrade",
      ],
    );
  }
  if (version === 0) {
    return warn(name, `${file} is empty; the next start begins without data`, [
      "If there were data, look for the right DATA_DIR, or move this file away and restore the newest backup.",
      "docs/operations.md#backup",
    ]);
  }
  if (version < SCHEMA_VERSION) {
    return warn(name, `${version}; the next start upgrades it to ${SCHEMA_VERSION}`, [
      "Make a backup first: the upgraded data do not open in the older version.",
      "docs/operations.md#upgrade",
    ]);
  }
  return ok(name, `${version}, that of this program`);
}

async function integrityOf(db: DatabaseSync, file: string, patienceMs: number): Promise<Finding> {
  const name = "database integrity";
  const end = performance.now() + patienceMs;
  let checked = 0;
  try {
    const tables = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all() as { name: string }[];
    for (const table of tables) {
      if (performance.now() > end) {
        return ok(name, `${checked} of ${tables.length} tables are whole; the time was up then`);
      }
      const quoted = table.name.replaceAll("'", "''");
      const [fault] = Object.values(db.prepare(`PRAGMA quick_check('${quoted}')`).get() ?? {});
      if (fault !== "ok") return damage(file, `table ${table.name}: ${String(fault)}`);
      checked += 1;
      await new Promise(setImmediate);
    }
    return ok(name, `all ${checked} tables are whole`);
  } catch (error) {
    return damage(file, messageOf(error));
  }
}

function damage(file: string, fault: string): Finding {
  return fail("database integrity", `${file} is damaged (${fault})`, [
    "Move the data directory away, keep it, and restore the newest backup.",
    "docs/troubleshooting.md#the-database-is-locked-or-damaged",
  ]);
}
