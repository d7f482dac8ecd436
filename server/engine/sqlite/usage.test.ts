import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { ANN, at, newJob } from "#test/engine/builders.ts";
import { openSqliteEngine } from "./open.ts";

test("[R5] a file without the counts of tenants gets them, with what its jobs have", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-usage-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const before = await openSqliteEngine({ dataDir });
  const settled = await before.createJob(newJob({ input: "ä" }), at(0));
  await before.createJob(newJob(), at(0));
  await before.createJob(newJob({ tenant: "other" }), at(0));
  await before.change(settled.id, { action: "cancel" }, at(1));
  const usage = [await before.usage(ANN.tenant), await before.usage("other")];
  await before.close();

  const db = new DatabaseSync(join(dataDir, "jobwire.db"));
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  db.exec(`DROP TABLE tenant_usage; PRAGMA user_version = ${version - 1}`);
  db.close();

  const engine = await openSqliteEngine({ dataDir });
  onTestFinished(() => engine.close());
  expect([await engine.usage(ANN.tenant), await engine.usage("other")]).toEqual(usage);
});
