/** Sessions that a process finds after the machine's clock was set, and in a file of an older version. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { SESSION_KEPT_MS } from "#server/engine/session-limits.ts";
import type { Engine } from "#server/engine/contract.ts";
import { ANN, at, BOB, newJob } from "#test/engine/builders.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";

const NOW = Date.UTC(2026, 0, 1);
const HERS = { ...ANN, id: "a-session" };
const WHOLE = { entries: new Map([["a", 1]]), whole: true };

let dataDir: string;
let time: number;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-sessions-"));
  time = NOW;
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function open(): Promise<Engine> {
  const engine = await openSqliteEngine({ dataDir, clock: () => time });
  onTestFinished(() => engine.close());
  return engine;
}

function countOf(table: string): number {
  const db = new DatabaseSync(databasePath(dataDir), { readOnly: true });
  const row = db.prepare(`SELECT count(*) AS count FROM ${table}`).get();
  db.close();
  return (row as { count: number }).count;
}

test("a clock that was set back while the server was stopped keeps none for longer", async () => {
  const before = await open();
  await before.saveSession(HERS, "one", WHOLE);
  await before.close();
  time -= 365 * 24 * 60 * 60_000;
  const after = await open();
  time += SESSION_KEPT_MS - 1;
  expect((await after.takeSession(HERS, "two"))?.holder).toBe("one");
  time += SESSION_KEPT_MS;
  expect(await after.takeSession(HERS, "three")).toBeUndefined();
});

test("expired sessions are deleted with all their entries when others are saved", async () => {
  const engine = await open();
  for (const id of ["1", "2", "3", "4", "5"]) {
    await engine.saveSession({ ...ANN, id }, "one", WHOLE);
  }
  time += SESSION_KEPT_MS;
  await engine.saveSession(HERS, "one", WHOLE);
  await engine.saveSession({ ...ANN, id: "another" }, "one", WHOLE);
  await engine.close();
  expect([countOf("sessions"), countOf("session_entries")]).toEqual([2, 2]);
  time += SESSION_KEPT_MS;
  const again = await open();
  await again.saveSession({ ...BOB, tenant: "other", id: "1" }, "one", WHOLE);
  await again.endSession({ ...BOB, tenant: "other", id: "1" }, "one");
  await again.close();
  expect([countOf("sessions"), countOf("session_entries"), countOf("session_counts")]).toEqual([
    0, 0, 0,
  ]);
});

test("a file without the tables of sessions gets them, and keeps its data", async () => {
  const job = newJob();
  const engine = await open();
  await engine.createJob(job, at(0));
  await engine.close();
  const db = new DatabaseSync(databasePath(dataDir));
  db.exec(
    "DROP TABLE tenant_usage; DROP TABLE sign_ins; DROP TABLE api_keys; DROP TABLE session_entries; DROP TABLE sessions; DROP TABLE session_counts; PRAGMA user_version = 1",
  );
  db.close();
  const again = await open();
  expect(await again.getJob(job.id)).toMatchObject({ id: job.id, status: "PENDING" });
  expect(await again.saveSession(HERS, "one", WHOLE)).toBe("saved");
});
