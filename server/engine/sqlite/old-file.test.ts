/**
 * Files that earlier versions wrote: the first one, the one before actors and audit lists, and the one before turns of
 * tenants.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeOf, newJob, STEP } from "#test/engine/builders.ts";
import { goesOnFromOldData } from "#test/engine/old-data/old-data.ts";
import { backUpStopped } from "./backup.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";
import { restoreBackup } from "./restore.ts";

const DUMPS = new URL("../../../test/engine/old-data/", import.meta.url);

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "jobwire-old-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function writeOldFile(dump: string): Promise<void> {
  const db = new DatabaseSync(databasePath(dataDir), { enableForeignKeyConstraints: false });
  db.exec(await readFile(new URL(dump, DUMPS), "utf8"));
  db.close();
}

test.each(["sqlite-1.sql", "sqlite-4.sql"])(
  "[P16] [P17] [S2] the jobs of %s are read, and new events have their actor and details",
  async (dump) => {
    await writeOldFile(dump);
    const engine = await openSqliteEngine({ dataDir });
    await expect(goesOnFromOldData(engine)).resolves.toBeUndefined();
    // The one that waited, and the one that was started without a claim.
    const claims = await engine.claim({ worker: "w", max: 9, leaseMs: 60_000, now: new Date() });
    expect(claims.map(({ job }) => job.title).toSorted()).toEqual(["Article 2", "Article 3"]);
    await engine.close();
  },
);

test("[Q2] [Q3] jobs that waited, were delayed or were held before there were turns are given out as the contract says", async () => {
  await writeOldFile("sqlite-12.sql");
  let time = Date.UTC(2026, 0, 1) + 10_000;
  const engine = await openSqliteEngine({ dataDir, clock: () => time });
  const claim = async (max: number) => {
    const request = { worker: "w", max, leaseMs: 3_600_000, now: new Date(time) };
    return (await engine.claim(request)).map(({ job }) => job.title);
  };
  const old = { jobId: "0198c5a0-0000-7000-8000-000000000001", token: 1 };
  expect(await codeOf(engine.change(old.jobId, STEP, new Date(time), old))).toBe("CLAIM_LOST");
  // Those that a runner held, whether it had started them or not.
  expect((await claim(2)).toSorted()).toEqual(["Job 1", "Job 2"]);
  const urgent = newJob({ title: "Urgent", priority: 9 });
  await engine.createJob(urgent, new Date(time));
  // Old jobs keep the order of their creation, and come before all that are new. Job 9 is of another tenant.
  expect(await claim(9)).toEqual(["Job 4", "Job 9", "Job 6", "Job 7", "Job 8", "Job 10", "Urgent"]);
  time += 49_999;
  expect(await claim(9)).toEqual([]);
  time += 1;
  expect(await claim(9)).toEqual(["Job 3"]);
  await engine.close();
});

test("[J19] a backup of the first version is restored, and upgraded by the next start", async () => {
  await writeOldFile("sqlite-1.sql");
  const backup = join(dataDir, "backup.db");
  await backUpStopped(dataDir, backup);
  const restored = join(dataDir, "restored");
  expect(await restoreBackup(restored, backup)).toMatchObject({ jobs: 3 });
  const engine = await openSqliteEngine({ dataDir: restored });
  await expect(goesOnFromOldData(engine)).resolves.toBeUndefined();
  await engine.close();
});
