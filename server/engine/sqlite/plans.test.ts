/** However many jobs there are, every statement finds its rows through an index. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { openSqliteEngine } from "./open.ts";

test("no statement of the engine scans a table or sorts its result", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-plans-"));
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  await (await openSqliteEngine({ dataDir })).close();
  const statements = [...prepare.mock.calls, ...exec.mock.calls]
    .map(([sql]) => sql)
    .filter((sql) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(sql))
    .filter((sql) => !sql.includes("sqlite_schema"));
  vi.restoreAllMocks();
  expect(statements.length).toBeGreaterThan(30);

  const db = new DatabaseSync(join(dataDir, "jobwire.db"));
  const plans = statements.flatMap((sql) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => `${String(detail)} <- ${sql}`),
  );
  db.close();
  rmSync(dataDir, { recursive: true });
  expect(plans.filter((plan) => /^(SCAN|USE TEMP)/.test(plan))).toEqual([]);
});
