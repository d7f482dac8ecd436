/** Sign-ins in the file: those that ended, and a file of an older version. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { SignIn } from "#shared/sign-in.ts";
import { at, newJob } from "#test/engine/builders.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";

const DAY_MS = 24 * 60 * 60_000;

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-sign-ins-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function open(): Promise<Engine> {
  const engine = await openSqliteEngine({ dataDir });
  onTestFinished(() => engine.close());
  return engine;
}

function signInAt(id: string, madeAt: number): SignIn {
  return {
    id,
    principal: { userId: id, tenantId: "acme", scopes: [] },
    credential: { kind: "token", id: null },
    madeAt,
    usedAt: madeAt,
    expiresAt: madeAt + DAY_MS,
    endsAt: madeAt + DAY_MS,
  };
}

test("[P10] those that have ended are deleted when others are stored", async () => {
  const engine = await open();
  const now = Date.now();
  for (const id of ["1", "2", "3", "4", "5"]) await engine.addSignIn(signInAt(id, now));
  await engine.addSignIn(signInAt("6", now + DAY_MS));
  await engine.addSignIn(signInAt("7", now + DAY_MS));
  await engine.close();
  const db = new DatabaseSync(databasePath(dataDir), { readOnly: true });
  const rows = db.prepare("SELECT id FROM sign_ins ORDER BY id").all();
  db.close();
  expect(rows.map(({ id }) => id)).toEqual(["6", "7"]);
});

test("[P10] a file without the table of sign-ins gets it, and keeps its data", async () => {
  const job = newJob();
  const engine = await open();
  await engine.createJob(job, at(0));
  await engine.close();
  const db = new DatabaseSync(databasePath(dataDir));
  db.exec("DROP TABLE tenant_usage; DROP TABLE sign_ins; PRAGMA user_version = 3");
  db.close();
  const again = await open();
  expect(await again.getJob(job.id)).toMatchObject({ id: job.id, status: "PENDING" });
  const hers = signInAt("ann", Date.now());
  await again.addSignIn(hers);
  expect(await again.getSignIn("ann", new Date())).toEqual(hers);
});
