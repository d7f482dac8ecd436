/** The remains of a batch that is stored in steps where its process ends (B1, B4). The suite of the engines has the rest. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { ANN, at, newBatch } from "#test/engine/builders.ts";
import { spawnChild } from "#test/engine/sqlite-child.ts";
import { STEP } from "./large-batch.ts";
import { openSqliteEngine } from "./open.ts";

const JOBS = 4 * STEP + 1;

let dataDir: string;
let engine: Engine;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-large-"));
  engine = await openSqliteEngine({ dataDir });
});
afterEach(async () => {
  await engine.close();
  rmSync(dataDir, { recursive: true });
});

const claimAll = (from: Engine = engine) =>
  from.claim({ worker: "w", max: 2 * JOBS, leaseMs: 60_000, now: at(0) });

/** All that a reader can see of the owner's jobs. */
async function view(from: Engine = engine) {
  const { items } = await from.listJobs({ ...ANN, limit: 2 * JOBS });
  const { changes } = await from.readFeed(ANN, 0, 2 * JOBS);
  const { items: batches } = await from.listBatches({ ...ANN, limit: 10 });
  return { items, changes, batches };
}

/** Calls `look` in each turn until the call is answered. */
async function until(answered: Promise<unknown>, look: () => Promise<void>): Promise<void> {
  let isDone = false;
  answered.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  // An answer shows in the turn after its commit.
  while (!isDone) {
    await look();
    await nextTurn();
  }
  await answered;
}

test("[B1] [B4] [J3] what a process left that died before the end is gone after the next start", async () => {
  const { batch, jobs } = newBatch(JOBS);
  const key = { ...batch, idempotencyKey: "once" };
  const created = engine.createBatch(key, jobs, at(0));
  const copies: string[] = [];
  await until(created, async () => {
    const copy = mkdtempSync(join(tmpdir(), "jobwire-copy-"));
    copies.push(copy);
    copyOf(copy);
  });
  const states: boolean[] = [];
  for (const copy of copies) {
    const next = await openSqliteEngine({ dataDir: copy });
    const { items, batches } = await view(next);
    const whole = batches.length > 0;
    states.push(whole);
    expect(items).toHaveLength(whole ? JOBS : 0);
    expect((await next.usage(ANN.tenant)).waitingJobs).toBe(whole ? JOBS : 0);
    expect(await claimAll(next)).toHaveLength(whole ? JOBS : 0);
    // The key is free where the batch is not there, and so are the ids.
    expect(await next.createBatch(key, jobs, at(1))).toMatchObject({ id: batch.id });
    await next.close();
    expect(rowsIn(copy)).toEqual({ jobs: JOBS, events: JOBS, staged: 0 });
    rmSync(copy, { recursive: true });
  }
  // First it was hidden; then it was shown, and its jobs were not all queued yet.
  expect(states.filter((whole) => !whole).length).toBeGreaterThan(2);
  expect(states.filter((whole) => whole).length).toBeGreaterThan(2);
  expect(states).toEqual(states.toSorted((one, other) => Number(one) - Number(other)));
});

/** The files as a process that dies now leaves them. */
function copyOf(to: string): void {
  for (const file of ["jobwire.db", "jobwire.db-wal"]) {
    if (existsSync(join(dataDir, file))) copyFileSync(join(dataDir, file), join(to, file));
  }
}

function rowsIn(dir: string) {
  const db = new DatabaseSync(join(dir, "jobwire.db"));
  const count = (sql: string) =>
    (db.prepare(`SELECT count(*) AS n FROM ${sql}`).get() as { n: number }).n;
  const rows = {
    jobs: count("jobs"),
    events: count("events WHERE seq = 1"),
    staged: count("batches WHERE staged IS NOT NULL"),
  };
  db.close();
  return rows;
}

test("what was asked for before the engine closed is stored whole", async () => {
  const { batch, jobs } = newBatch(JOBS);
  const created = engine.createBatch(batch, jobs, at(0));
  await engine.close();
  await created;
  engine = await openSqliteEngine({ dataDir });
  expect(await claimAll()).toHaveLength(JOBS);
});

test("[B1] [S6] after kill -9 at any moment each batch is there whole, or not at all", async () => {
  await engine.close();
  const program = `
    const { at, newBatch } = suites;
    const engine = await openSqliteEngine({ dataDir });
    console.log("open");
    for (;;) {
      const { batch, jobs } = newBatch(${STEP + 1});
      const created = engine.createBatch(batch, jobs, at(0));
      for (let turn = 0; turn < 3; turn += 1) {
        await new Promise(setImmediate);
        console.log("turn");
      }
      await created;
      console.log("stored");
    }`;
  for (const lines of [1, 2, 3, 4, 6, 9]) {
    const child = spawnChild(dataDir, program);
    let stored = 0;
    for (let n = 0; n < lines; n += 1) {
      const line = await child.line();
      expect(line).toBeDefined();
      if (line === "stored") stored += 1;
    }
    await child.kill();
    engine = await openSqliteEngine({ dataDir });
    const { items, batches, changes } = await view();
    expect(items).toHaveLength(batches.length * (STEP + 1));
    expect(changes).toHaveLength(items.length);
    expect(batches.length).toBeGreaterThanOrEqual(stored);
    expect((await engine.usage(ANN.tenant)).waitingJobs).toBe(items.length);
    await engine.close();
    expect(rowsIn(dataDir)).toMatchObject({ jobs: items.length, staged: 0 });
  }
  engine = await openSqliteEngine({ dataDir });
});
