import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { at, FAIL, LEASE_MS, newJob } from "#test/engine/builders.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";

const start = () => ({ progress: 1, message: "Begun" });

test("[H7] a claim returns a job with an unreadable input with a fault, and the others unharmed", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-damaged-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const jobs = [newJob(), newJob(), newJob()];
  const before = await openSqliteEngine({ dataDir });
  for (const job of jobs) await before.createJob(job, at(0));
  await before.close();
  const db = new DatabaseSync(databasePath(dataDir));
  db.prepare("UPDATE payloads SET input = '{' WHERE job_n = (SELECT n FROM jobs WHERE id = ?)").run(
    jobs[1]?.id ?? "",
  );
  db.close();

  const engine = await openSqliteEngine({ dataDir });
  onTestFinished(() => engine.close());
  const request = { worker: "w", max: 5, leaseMs: LEASE_MS, now: at(1), start };
  const claims = await engine.claim(request);
  expect(claims.map(({ jobId }) => jobId)).toEqual(jobs.map(({ id }) => id));
  const [first, damaged, last] = claims;
  expect(damaged).toMatchObject({ job: { input: null }, fault: { code: "DATA_UNREADABLE" } });
  expect([first?.fault, last?.fault]).toEqual([undefined, undefined]);
  await engine.change(jobs[1]?.id ?? "", FAIL, at(2), damaged);
  expect(await engine.getSummary(jobs[1]?.id ?? "")).toMatchObject({ status: "ABORTED" });
});

test("[H7] a job whose runner died with unreadable details is claimed without them, and the others unharmed", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-damaged-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const jobs = [newJob(), newJob()];
  const before = await openSqliteEngine({ dataDir });
  for (const job of jobs) await before.createJob(job, at(0));
  const request = { worker: "w", max: 5, leaseMs: LEASE_MS, now: at(1), start };
  await before.claim(request);
  const report = { action: "progress", progress: 1, message: "One", details: { done: 1 } } as const;
  for (const { id } of jobs) await before.change(id, report, at(1));
  await before.close();
  const damaged = jobs[0]?.id ?? "";
  const db = new DatabaseSync(databasePath(dataDir));
  db.prepare("UPDATE jobs SET details = '{' WHERE id = ?").run(damaged);
  db.close();

  const engine = await openSqliteEngine({ dataDir });
  onTestFinished(() => engine.close());
  const claims = await engine.claim(request);
  expect(claims.map(({ job }) => job.details)).toEqual([undefined, { done: 1 }]);
  const release = { action: "release", message: "Again", delayMs: 0, counts: true } as const;
  await engine.change(damaged, release, at(2), claims[0]);
  expect(await engine.getSummary(damaged)).toMatchObject({ status: "PENDING" });
});
