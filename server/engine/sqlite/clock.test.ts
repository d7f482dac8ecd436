/** The queue that a process finds after the machine's clock was set, or after an older version wrote it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { at, LEASE_MS, newJob, release, startedJob } from "#test/engine/builders.ts";
import { MAX_DELAY_MS, MAX_START_DELAY_MS } from "#shared/limits.ts";
import { openExport } from "./export.ts";
import { JOB_OPTIONS } from "./option-columns.ts";
import { openSqliteEngine } from "./open.ts";

const NOW = Date.UTC(2026, 0, 1);

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-clock-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

/** The machine's clock says `time` when the process starts, and stands. */
async function open(time: number): Promise<Engine> {
  const engine = await openSqliteEngine({ dataDir, clock: () => time });
  onTestFinished(() => engine.close());
  return engine;
}

/** Jobs of which one each was never started, was given back, has a lease, and waits for `delayMs`, in this order. */
async function leave(delayMs: number): Promise<string[]> {
  const engine = await open(NOW);
  const waiting = await startedJob(engine, at(0));
  const back = await startedJob(engine, at(0));
  const { jobId: held } = await startedJob(engine, at(0));
  const { id: fresh } = await engine.createJob(newJob(), at(0));
  await engine.change(back.jobId, release(0, false), at(0), back);
  await engine.change(waiting.jobId, release(delayMs), at(0), waiting);
  await engine.close();
  return [fresh, back.jobId, held, waiting.jobId];
}

async function ready(engine: Engine): Promise<string[]> {
  const request = { worker: "w", max: 10, leaseMs: LEASE_MS, now: at(0) };
  return (await engine.claim(request)).map(({ jobId }) => jobId).toSorted();
}

test("after a restart with the clock set back, only a delay waits", async () => {
  for (const back of [60_000, MAX_DELAY_MS - 30_000]) {
    const left = await leave(30_000);
    const engine = await open(NOW - back);
    expect(await ready(engine)).toEqual(left.slice(0, 3).toSorted());
    await engine.close();
    rmSync(join(dataDir, "jobwire.db"));
  }
});

test("after a restart with the clock set back, a delay that would be longer than any can be is over", async () => {
  const left = await leave(30_000);
  expect(await ready(await open(NOW + 30_000 - MAX_DELAY_MS - 1))).toEqual(left.toSorted());
});

test("[Q2] after a restart with the clock set back, what waits comes before what is queued then", async () => {
  const before = await open(NOW);
  const waiting = [newJob(), newJob({ priority: 3 }), newJob()];
  for (const job of waiting) await before.createJob(job, at(0));
  await before.close();
  const engine = await open(NOW - 86_400_000);
  const fresh = newJob();
  await engine.createJob(fresh, at(0));
  const [first, urgent, last] = waiting;
  const request = { worker: "w", max: 10, leaseMs: LEASE_MS, now: at(0) };
  expect((await engine.claim(request)).map(({ jobId }) => jobId)).toEqual(
    [urgent, first, last, fresh].map((job) => job?.id),
  );
});

test("after a restart the longest delay still waits for its time", async () => {
  const left = await leave(MAX_DELAY_MS);
  const engine = await open(NOW);
  expect(await ready(engine)).toEqual(left.slice(0, 3).toSorted());
  await engine.close();
  expect(await ready(await open(NOW + MAX_DELAY_MS))).toEqual(left.toSorted());
});

test("a job that an older version queued with its time of queueing is ready", async () => {
  const [fresh = ""] = await leave(30_000);
  const db = new DatabaseSync(join(dataDir, "jobwire.db"));
  db.prepare("UPDATE jobs SET due = ? WHERE id = ?").run(NOW, fresh);
  db.exec("DROP INDEX jobs_expiring; DROP INDEX jobs_debounced");
  for (const column of ["starts_at", "expires_at", "max_attempts", "expires", "debounce_key"]) {
    db.exec(`ALTER TABLE jobs DROP COLUMN ${column}`);
  }
  db.exec(JOB_OPTIONS);
  db.close();
  expect(await ready(await open(NOW - 60_000))).toContain(fresh);
});

test("another engine that takes the data over finds the same ones ready", async () => {
  const [fresh = "", back, held, waiting] = await leave(30_000);
  const db = new DatabaseSync(join(dataDir, "jobwire.db"));
  const soon = Date.now() + 60_000;
  db.prepare("UPDATE jobs SET due = ? WHERE id = ?").run(soon, fresh);
  const later = Date.now() + MAX_DELAY_MS / 2;
  db.prepare("UPDATE jobs SET due = ? WHERE id = ?").run(later, waiting ?? "");
  db.close();
  const source = openExport(dataDir);
  const due = new Map([...source.jobs()].map(({ job, due: time }) => [job.id, time]));
  source.close();
  expect([fresh, back, held, waiting].map((id) => due.get(id ?? ""))).toEqual([soon, 0, 0, later]);

  const again = new DatabaseSync(join(dataDir, "jobwire.db"));
  again
    .prepare("UPDATE jobs SET due = ? WHERE id = ?")
    .run(Date.now() + 2 * MAX_DELAY_MS, waiting ?? "");
  again
    .prepare("UPDATE jobs SET due = ? WHERE id = ?")
    .run(Date.now() + 2 * MAX_START_DELAY_MS, fresh);
  again.close();
  const impossible = openExport(dataDir);
  expect([...impossible.jobs()].map(({ due: time }) => time)).toEqual([0, 0, 0, 0]);
  impossible.close();
});

test("the engine's own clock is not the machine's: setting that moves no delay, and nothing queued", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const engine = await openSqliteEngine({ dataDir });
  onTestFinished(() => engine.close());
  const held = await startedJob(engine, new Date());
  // The engine's clock goes on: the lease must not end while a slow machine runs the test.
  expect(await engine.renew([held], 3_600_000, new Date())).toEqual([]);
  const waiting = await startedJob(engine, new Date());
  const { id } = await engine.createJob(newJob(), new Date());
  // Before the delay begins: a hint without a listener does not come again.
  const called = new Promise<void>((resolve) => {
    engine.onWork(resolve);
  });
  await engine.change(waiting.jobId, release(20), new Date(), waiting);
  vi.setSystemTime(Date.now() - 3_600_000);
  await called;
  expect(await ready(engine)).toEqual([waiting.jobId, id].toSorted());
  vi.setSystemTime(Date.now() + 7_200_000);
  expect(await ready(engine)).toEqual([]);
  expect(await engine.renew([held], LEASE_MS, new Date())).toEqual([]);
});
