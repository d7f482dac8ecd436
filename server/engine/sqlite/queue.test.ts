/** The cost of claims with many tenants and jobs, and turns that were rolled back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import type { KindLimits } from "#server/engine/kind-limits.ts";
import { at, DELIVER, newBatch, newJob } from "#test/engine/builders.ts";
import { Heap } from "./heap.ts";
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

/** Counts the statements that run, the rows that they read, and the moves in the heaps of turns and lines. */
function countWork() {
  const work = { statements: 0, rows: 0, moves: 0 };
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
  for (const method of ["put", "remove"] as const) {
    const real: unknown = Object.getOwnPropertyDescriptor(Heap.prototype, method)?.value;
    vi.spyOn(Heap.prototype, method).mockImplementation(function count(this: unknown, item) {
      Reflect.apply(real as () => void, this, [item]);
      work.moves += 1;
    });
  }
  onTestFinished(() => void vi.restoreAllMocks());
  return {
    async during(doing: () => Promise<void>) {
      Object.assign(work, { statements: 0, rows: 0, moves: 0 });
      await doing();
      return { ...work };
    },
  };
}

test("[Q4] a claim runs as many statements, and reads as many rows, with thirty thousand ready jobs of ten thousand tenants as with a few", async () => {
  const [few, many] = [
    await openWith({ tenants: 23, each: 2, more: 20 }),
    await openWith({ tenants: 10_000, each: 1, more: 20_000 }),
  ];
  const work = countWork();
  const costOf = ({ engine }: typeof few, max: number) =>
    work.during(async () => {
      const request = { worker: "w", max, leaseMs: 3_600_000, now: at(0) };
      expect(await engine.claim({ ...request, start: begin })).toHaveLength(max);
    });
  for (const max of [1, 10, 12]) {
    const cost = await costOf(many, max);
    // A tenant whose last job goes has no further turn to move.
    expect(await costOf(few, max)).toEqual({ ...cost, moves: expect.any(Number) });
    expect(cost.moves).toBeLessThan(6 * max);
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

test("[O9] a claim costs the same however many jobs and tenants have nothing but a paused kind", async () => {
  const [few, many] = [
    await openWith({ tenants: 3, each: 1, more: 0 }),
    await openWith({ tenants: 10_000, each: 1, more: 0 }),
  ];
  const pause = { at: at(0), note: "", by: { user: "op", via: "key" } } as const;
  const request = { worker: "w", max: 3, leaseMs: 60_000, now: at(0) };
  for (const { engine } of [few, many]) {
    await engine.pauses.set({ ...pause, kind: "article" });
    await engine.pauses.set({ ...pause, kind: "article", tenant: "tenant 1" });
  }
  const work = countWork();
  const idle = ({ engine }: typeof few) =>
    work.during(async () => expect(await engine.claim(request)).toEqual([]));
  const cost = await idle(many);
  expect(cost).toMatchObject({ rows: 0, moves: 0 });
  expect(await idle(few)).toEqual(cost);
  const busy = async ({ engine }: typeof few) => {
    for (const tenant of ["a", "tenant 2"]) {
      await engine.createJob(newJob({ tenant, kind: "image" }), at(0));
    }
    return work.during(async () => expect(await engine.claim(request)).toHaveLength(2));
  };
  expect(await busy(many)).toEqual(await busy(few));
});

/**
 * Three tenants, each with `keys` keys of a kind. Of each key one job runs and `each` are ready; as many are ready of a kind of
 * which one job runs. Of half as many further keys and of a third kind a job is ready and none runs.
 */
async function openHeldBack({ keys, each }: { keys: number; each: number }) {
  const dataDir = newDataDir();
  await (await openSqliteEngine({ dataDir })).close();
  const db = new DatabaseSync(databasePath(dataDir));
  db.exec(`
    CREATE TEMP TABLE numbers AS
      WITH RECURSIVE counted (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counted WHERE i < ${3 * keys * (each + 1)})
      SELECT i, i % 3 + 1 AS t, i / 3 % ${keys} AS k, i / ${3 * keys} AS round FROM counted;
    CREATE TEMP TABLE fresh (rank, t, kind, key, due, held);
    INSERT INTO fresh SELECT i, t, 'keyed', 'running ' || k, iif(round = 0, 1, 0), round = 0 FROM numbers;
    INSERT INTO fresh SELECT i, t, 'counted', NULL, iif(i = 0, 1, 0), i = 0 FROM numbers;
    INSERT INTO fresh SELECT i, t, 'keyed', 'idle ' || k, 0, 0 FROM numbers WHERE round = 0 AND k % 2;
    INSERT INTO fresh SELECT i, t, 'free', NULL, 0, 0 FROM numbers WHERE round = 0;
    BEGIN;
    INSERT INTO tenants (n, tenant, rev) VALUES (1, 'a', 1000000), (2, 'b', 1000000), (3, 'c', 1000000);
    INSERT INTO owners (n, tenant, owner, rev) SELECT n, tenant, 'ann', rev FROM tenants;
    INSERT INTO jobs (id, owner_n, tenant_n, kind, title, status, progress, message, attempt, retries, created_at, version,
        rev, due, held, rank, key)
      SELECT 'job ' || rowid, t, t, kind, 'A', iif(held, 'PROCESSING', 'PENDING'), 0, '', 1, 0, 0, 1, rowid, due, held,
        rank, key
      FROM fresh;
    INSERT INTO payloads SELECT n, 'null', 'null' FROM jobs;
    INSERT INTO tenant_usage SELECT tenant, 1000000, 1000000 FROM tenants;
    COMMIT`);
  db.close();
  const engine = await openSqliteEngine({ dataDir, clock: () => START });
  onTestFinished(() => engine.close());
  const limits = new Map<string, KindLimits>([
    ["counted", { concurrency: 1 }],
    ["keyed", { perKey: { concurrency: 1, rate: { limit: 1, perMs: 60_000 } } }],
  ]);
  const request = { worker: "w", leaseMs: 3_600_000, now: at(0), limits, start: begin };
  // The jobs that run lost their runner with the process before.
  const running = await engine.claim({ ...request, max: 3 * keys + 1 });
  // And one for the lines that are then looked at for the first time.
  await engine.claim({ ...request, max: 9 });
  return { engine, running, claim: (max: number) => engine.claim({ ...request, max }) };
}

test("[Q4] [Q6] a claim, and the end of a job, cost the same with fifty thousand jobs of ten thousand keys that are held back as with a few", async () => {
  const [few, many] = [
    await openHeldBack({ keys: 40, each: 1 }),
    await openHeldBack({ keys: 3400, each: 2 }),
  ];
  const work = countWork();
  async function costsOf({ engine, running, claim }: typeof few) {
    const [held] = running.filter(({ job }) => job.kind === "keyed");
    if (held === undefined) throw new Error("No job runs.");
    return [
      await work.during(async () => {
        expect(await claim(1)).toHaveLength(1);
      }),
      await work.during(async () => {
        const given = await claim(10);
        expect(new Set(given.map(({ job }) => job.kind))).toEqual(new Set(["keyed", "free"]));
        expect(given).toHaveLength(10);
      }),
      await work.during(async () => {
        await engine.change(held.jobId, DELIVER, at(0), held);
      }),
    ];
  }
  const costs = await costsOf(many);
  expect(costs).toEqual(await costsOf(few));
  // The jobs, and for each of them rank and number of the next one of its line.
  expect(costs[1]?.rows).toBeLessThanOrEqual(10 + 2 * 10);
  expect(costs[1]?.statements).toBeLessThan(25 + 17 * 10);
  expect(costs[1]?.moves).toBeLessThan(15 * 10);
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
    const claims = engine.claim({ worker: "w", max: 1, leaseMs: 60_000, now: at(0) });
    // The claim looks whether there is work before it writes.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    // The refusal rolls the group back, which then begins again.
    await expect(engine.createJob(newJob({ priority: -1 }), at(0))).rejects.toThrow("priority");
    given.push(...(await claims).map(({ job }) => job.tenant));
  }
  expect(given.join(" ")).toBe("a b a b a b");
});

test("[O5] a pause, or its end, that could not be stored changes nothing", async () => {
  const engine = await openSqliteEngine({ dataDir: newDataDir() });
  onTestFinished(() => engine.close());
  const pause = { tenant: "a", at: at(0), note: "", by: { user: "op", via: "key" } } as const;
  const given = async () => {
    const claims = await engine.claim({ worker: "w", max: 1, leaseMs: 60_000, now: at(0) });
    return claims.map(({ job }) => job.tenant);
  };
  for (const tenant of ["a", "a", "b", "b"]) await engine.createJob(newJob({ tenant }), at(0));
  failNextCommit();
  await expect(engine.pauses.set(pause)).rejects.toThrow("stored");
  expect([await given(), await given()]).toEqual([["a"], ["b"]]);
  await engine.pauses.set(pause);
  failNextCommit();
  await expect(engine.pauses.remove(pause)).rejects.toThrow("stored");
  expect([await given(), await given()]).toEqual([["b"], []]);
  await engine.pauses.remove(pause);
  expect(await given()).toEqual(["a"]);
});

function failNextCommit(): void {
  const real: unknown = Object.getOwnPropertyDescriptor(StatementSync.prototype, "run")?.value;
  const spy = vi.spyOn(StatementSync.prototype, "run");
  spy.mockImplementation(function fail(this: StatementSync, ...values) {
    if (this.sourceSQL !== "COMMIT") {
      return Reflect.apply(real as StatementSync["run"], this, values);
    }
    spy.mockRestore();
    throw new Error("The disk is full.");
  });
}

test("[Q1] [Q5] a write that fails after it changed turns and lines leaves those as the others of its transaction have made them", async () => {
  const engine = await openSqliteEngine({ dataDir: newDataDir() });
  onTestFinished(() => engine.close());
  const limits = new Map([["article", { concurrency: 2 }]]);
  const claim = () => engine.claim({ worker: "w", max: 9, leaseMs: 60_000, now: at(0), limits });
  for (const title of ["1", "2", "3"]) await engine.createJob(newJob({ title }), at(0));
  const [first] = await claim();
  if (first === undefined) throw new Error("No job was given.");
  const { batch, jobs } = newBatch(2, { tenant: "a" });
  const [job = newJob()] = jobs;
  const [ended, refused, created] = await Promise.allSettled([
    engine.change(first.jobId, { action: "cancel" }, at(0)),
    engine.createBatch(batch, [job, { ...job }], at(0)),
    engine.createJob(newJob({ title: "4" }), at(0)),
  ]);
  expect([ended.status, refused.status, created.status]).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect((await claim()).map(({ job: { title } }) => title)).toEqual(["3"]);
  expect(await claim()).toEqual([]);
});
