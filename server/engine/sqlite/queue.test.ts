/** The cost of claims with many tenants and jobs, and turns that were rolled back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { at, newJob } from "#test/engine/builders.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";

function newDataDir(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-queue-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  return dataDir;
}

const START = Date.UTC(2026, 0, 1);
const DELAY_MS = 3_000_000;

function begin() {
  return { progress: 0, message: "Begun" };
}

/** Each tenant has `each` ready jobs, and the first one `more`; as many again wait for a delay or were settled. */
async function openWith({ tenants, each, more }: { tenants: number; each: number; more: number }) {
  const dataDir = newDataDir();
  await (await openSqliteEngine({ dataDir })).close();
  const db = new DatabaseSync(databasePath(dataDir));
  const jobs = tenants * each + more;
  let time = START;
  const later = START + DELAY_MS;
  db.exec(`
    CREATE TEMP TABLE numbers AS
      WITH RECURSIVE counted (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < ${2 * jobs})
      SELECT i, CASE WHEN i > ${tenants * each} THEN 1 ELSE i % ${tenants} + 1 END AS t FROM counted;
    BEGIN;
    INSERT INTO tenants (n, tenant, rev) SELECT i, 'tenant ' || i, 9 FROM numbers WHERE i <= ${tenants};
    INSERT INTO owners (n, tenant, owner, rev) SELECT n, tenant, 'ann', 9 FROM tenants;
    INSERT INTO jobs (n, id, owner_n, tenant_n, kind, title, status, progress, message, attempt, retries, created_at,
        version, rev, due, rank)
      SELECT i, 'job ' || i, t, t, 'article', 'A', iif(i > ${jobs} AND i % 2, 'ABORTED', 'PENDING'), 0, '', 1, 0, 0, 1, i,
        CASE WHEN i <= ${jobs} THEN 0 WHEN i % 2 THEN NULL ELSE ${later} + i END, i % 1000
      FROM numbers;
    INSERT INTO payloads SELECT i, 'null', 'null' FROM numbers;
    COMMIT`);
  db.close();
  const engine = await openSqliteEngine({ dataDir, clock: () => time });
  onTestFinished(() => engine.close());
  return { engine, pass: (ms: number) => void (time += ms) };
}

test("[Q4] a claim runs as many statements, and reads as many rows, with thirty thousand ready jobs of ten thousand tenants as with a few", async () => {
  const [few, many] = [
    await openWith({ tenants: 23, each: 2, more: 20 }),
    await openWith({ tenants: 10_000, each: 1, more: 20_000 }),
  ];
  let work = { statements: 0, rows: 0 };
  for (const method of ["all", "get", "run"] as const) {
    const real: unknown = Object.getOwnPropertyDescriptor(StatementSync.prototype, method)?.value;
    vi.spyOn(StatementSync.prototype, method).mockImplementation(function count(
      this: StatementSync,
      ...values: unknown[]
    ) {
      const found: unknown = Reflect.apply(real as () => unknown, this, values);
      work.statements += 1;
      if (Array.isArray(found)) work.rows += found.length;
      return found as never;
    });
  }
  onTestFinished(() => void vi.restoreAllMocks());
  async function costOf({ engine }: typeof few, max: number) {
    work = { statements: 0, rows: 0 };
    const request = { worker: "w", max, leaseMs: 3_600_000, now: at(0) };
    expect(await engine.claim({ ...request, start: begin })).toHaveLength(max);
    return work;
  }
  for (const max of [1, 10, 12]) {
    const cost = await costOf(many, max);
    expect(cost).toEqual(await costOf(few, max));
    // The jobs: turns are in memory.
    expect(cost.rows).toBe(max);
    expect(cost.statements).toBeLessThan(25 + 15 * max);
  }
  many.pass(DELAY_MS + 100_000);
  // Fifteen thousand delays are over: a claim ends a thousand of them.
  const cost = await costOf(many, 10);
  expect(cost.rows).toBe(1000 + 10);
  expect(cost.statements).toBeLessThan(2 * 1000 + 25 + 15 * 10);
});

test("[Q4] a claim for more jobs than that ends as many delays, so it leaves none that it could give", async () => {
  const { engine, pass } = await openWith({ tenants: 2, each: 1, more: 2098 });
  pass(DELAY_MS + 100_000);
  const claims = await engine.claim({ worker: "w", max: 5000, leaseMs: 1000, now: at(0) });
  expect(claims).toHaveLength(2100 + 1050);
});

test("[Q1] turns that a transaction took and then rolled back were not taken", async () => {
  const engine = await openSqliteEngine({ dataDir: newDataDir() });
  onTestFinished(() => engine.close());
  for (const tenant of ["a", "a", "a", "b", "b", "b"]) {
    await engine.createJob(newJob({ tenant }), at(0));
  }
  const given: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    // The refusal rolls the group back, which then begins again.
    const [claims] = await Promise.all([
      engine.claim({ worker: "w", max: 1, leaseMs: 60_000, now: at(0) }),
      expect(engine.createJob(newJob({ priority: -1 }), at(0))).rejects.toThrow("priority"),
    ]);
    given.push(...claims.map(({ job }) => job.tenant));
  }
  expect(given.join(" ")).toBe("a b a b a b");
});
