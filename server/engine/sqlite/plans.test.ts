/** However many jobs there are, every statement finds its rows through an index, or reads a row for each tenant. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { openSqliteEngine } from "./open.ts";

test("[Q4] no statement of the engine scans a table or sorts its result", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-plans-"));
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  await (await openSqliteEngine({ dataDir })).close();
  const statements = [...prepare.mock.calls, ...exec.mock.calls]
    .map(([sql]) => sql)
    .filter((sql) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(sql))
    // Small tables of SQLite itself.
    .filter((sql) => !/sqlite_(?:schema|sequence)/.test(sql));
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
  expect(plans.filter((plan) => /^(SCAN (?!\(subquery)|USE TEMP)/.test(plan))).toEqual([
    // There are MAX_PAUSES at most.
    expect.stringMatching(/^SCAN pauses <- SELECT tenant, /),
    expect.stringMatching(/^SCAN pauses <- SELECT count/),
    expect.stringMatching(/^SCAN tenant_usage <- /),
  ]);
  // Each of them begins where the jobs of one kind do, and reads no job that is kept.
  const finished = "SEARCH jobs USING INDEX jobs_finished";
  expect(
    plans.filter((plan) => plan.startsWith("SEARCH jobs USING") && plan.includes("jobs_finished")),
  ).toEqual([
    expect.stringContaining("SEARCH jobs USING COVERING INDEX jobs_finished (kind>?) <- "),
    expect.stringContaining(`${finished} (kind=? AND finished_at<?) <- `),
  ]);
  // The rows of a claim have their order from an index of the jobs of one state alone, so `LIMIT` ends the search.
  const ready = "jobs_ready (tenant_n=? AND kind=? AND key=?";
  const claims = [
    ["ORDER BY jobs.rank, jobs.n LIMIT", `${ready})`],
    ["rank = ? AND n > ? ORDER BY n LIMIT 1", `${ready} AND rank=? AND rowid>?)`],
    ["rank > ? ORDER BY rank, n LIMIT 1", `${ready} AND rank>?)`],
    // Why a job waits: the jobs before it, up to a bound.
    ["rank < ?4 UNION ALL", `${ready} AND rank<?)`],
    ["rank = ?4 AND n < ?5 LIMIT 1000", `${ready} AND rank=? AND rowid<?)`],
    [
      "WHERE tenants.n = jobs.tenant_n) ORDER BY due",
      "SEARCH jobs USING INDEX jobs_leased (due<?)",
    ],
    ["due > 0 AND due <= ? ORDER BY due LIMIT", "jobs USING INDEX jobs_delayed (due>? AND due<?)"],
  ] as const;
  for (const [part, plan] of claims) {
    const found = plans.filter((each) => each.replaceAll(/\s+/g, " ").includes(part));
    expect(found.filter((each) => each.includes(plan))).toHaveLength(1);
  }
});
