import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { ANN, at, BOB, newBatch, newJob } from "#test/engine/builders.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";

test("where all jobs and batches of an owner were deleted, no row of the owner is left", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-prune-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const engine = await openSqliteEngine({ dataDir });
  const { batch, jobs } = newBatch(2);
  await engine.createBatch(batch, jobs, at(0));
  const [first, second] = jobs;
  await engine.createJob(newJob(BOB), at(0));
  await engine.change(first?.id ?? "", { action: "cancel" }, at(1));
  await engine.change(second?.id ?? "", { action: "cancel" }, at(2));
  expect(await engine.prune(at(2), 9)).toBe(1);
  const { head } = await engine.readFeed({ tenant: ANN.tenant }, 0, 9);
  expect(await engine.prune(at(3), 9)).toBe(1);
  await engine.close();

  const db = new DatabaseSync(databasePath(dataDir));
  onTestFinished(() => db.close());
  expect(db.prepare("SELECT tenant, owner, rev FROM owners ORDER BY owner").all()).toEqual([
    { tenant: BOB.tenant, owner: BOB.owner, rev: 3 },
  ]);
  expect(db.prepare("SELECT tenant, rev FROM tenants").all()).toEqual([
    { tenant: ANN.tenant, rev: head },
  ]);
});
