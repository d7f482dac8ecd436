/** Backups that are made while the engine works, and that are put back. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ANN, newBatch, newJob } from "#test/engine/builders.ts";
import { backUpStopped, createBackups, partialPathOf } from "./backup.ts";
import { databasePath, openDatabase } from "./database.ts";
import { openSqliteEngine } from "./open.ts";
import { restoreBackup } from "./restore.ts";
import { SCHEMA_VERSION } from "./schema.ts";

const AT = new Date("2026-01-01T12:00:00Z");

let dir: string;
let dataDir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-backup-"));
  dataDir = join(dir, "data");
  file = join(dir, "backup.db");
});
afterEach(() => rm(dir, { recursive: true }));

async function openEngine(at = dataDir) {
  const engine = await openSqliteEngine({ dataDir: at });
  onTestFinished(() => engine.close());
  return { ...engine, backup: engine.backup! };
}
type Opened = Awaited<ReturnType<typeof openEngine>>;

/** Large enough that a copy takes many steps. */
async function fill(engine: Opened, jobs: number): Promise<void> {
  const input = { text: "x".repeat(400_000) };
  for (let i = 0; i < jobs; i++) await engine.createJob(newJob({ input }), AT);
}

async function jobsIn(backup: string): Promise<string[]> {
  const other = await mkdtemp(join(dir, "restored-"));
  await restoreBackup(other, backup);
  const engine = await openEngine(other);
  const { items } = await engine.listJobs({ ...ANN, limit: 100 });
  return items.map(({ id }) => id);
}

describe("[J19] a backup", () => {
  test("holds what was committed before it, and a server goes on from it", async () => {
    const engine = await openEngine();
    const job = await engine.createJob(newJob(), AT);
    const { bytes } = await engine.backup(file);
    expect(statSync(file)).toMatchObject({ size: bytes });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await engine.createJob(newJob(), AT);
    expect(await jobsIn(file)).toEqual([job.id]);
    expect(readdirSync(dir).filter((name) => name.startsWith("backup"))).toEqual(["backup.db"]);
  });

  test("is whole and consistent though jobs are created all the while", async () => {
    const engine = await openEngine();
    await fill(engine, 60);
    const stop = new AbortController();
    const created: string[] = [];
    const creating = (async () => {
      while (!stop.signal.aborted) {
        const { batch, jobs } = newBatch(2);
        await engine.createBatch(batch, jobs, AT);
        created.push(batch.id);
      }
    })();
    await vi.waitFor(() => expect(created.length).toBeGreaterThan(0));
    await engine.backup(file);
    stop.abort();
    await creating;
    const other = join(dir, "other");
    await restoreBackup(other, file);
    const restored = await openEngine(other);
    const { items } = await restored.listBatches({ ...ANN, limit: 100 });
    expect(items.length).toBeGreaterThan(0);
    for (const { id } of items) {
      expect(await restored.getBatch(id)).toMatchObject({ counts: { PENDING: 2 } });
      expect((await restored.listJobs({ ...ANN, batchId: id, limit: 10 })).items).toHaveLength(2);
    }
  });

  test("waits for a transaction that is open when it begins", async () => {
    const db = openDatabase(dataDir);
    onTestFinished(() => db.close());
    const backups = createBackups(db);
    db.exec("BEGIN IMMEDIATE; CREATE TABLE later (n INTEGER)");
    const made = backups.make(file);
    // It tries in vain meanwhile, and does not give up.
    const inVain = (async () => {
      for (let turn = 0; turn < 300; turn += 1) await new Promise(setImmediate);
    })();
    await Promise.race([made, inVain]);
    expect(existsSync(file)).toBe(false);
    db.exec("COMMIT");
    await made;
    const copy = new DatabaseSync(file, { readOnly: true });
    onTestFinished(() => copy.close());
    expect(copy.prepare("SELECT count(*) AS n FROM later").get()).toEqual({ n: 0 });
  });

  test("is never written over a file, and names its directory where there is none", async () => {
    const engine = await openEngine();
    writeFileSync(file, "mine");
    await expect(engine.backup(file)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      message: `${file} exists. Name a new file, or move that one away.`,
    });
    const other = join(dir, "other.db");
    writeFileSync(partialPathOf(other), "half");
    await expect(engine.backup(other)).rejects.toThrow("or one was interrupted. Delete it");
    await expect(engine.backup(join(dir, "none", "a.db"))).rejects.toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringContaining("no such file or directory") as string,
    });
    expect(statSync(file).size).toBe(4);
    expect(statSync(partialPathOf(other)).size).toBe(4);
  });

  test("is one at a time, and can be given up", async () => {
    const engine = await openEngine();
    await fill(engine, 60);
    const gone = new AbortController();
    const first = engine.backup(file, gone.signal);
    await expect(engine.backup(join(dir, "second.db"))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: "Another backup is being made. Wait until it is done.",
    });
    gone.abort(new Error("The command has ended."));
    await expect(first).rejects.toThrow("The command has ended.");
    expect(readdirSync(dir)).toEqual(["data"]);
    await engine.backup(file);
    expect(existsSync(file)).toBe(true);
  });

  test("ends with the engine, and leaves nothing", async () => {
    const engine = await openEngine();
    await fill(engine, 60);
    const [backup] = await Promise.allSettled([engine.backup(file), engine.close()]);
    expect(backup).toMatchObject({
      status: "rejected",
      reason: { code: "UNAVAILABLE", message: "The server is stopping: there is no backup." },
    });
    expect(readdirSync(dir)).toEqual(["data"]);
    await expect(engine.backup(file)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("of a stopped server keeps the version of its data", async () => {
    await expect(backUpStopped(dataDir, file)).rejects.toThrow("there is nothing to back up");
    expect(existsSync(dataDir)).toBe(false);
    const engine = await openEngine();
    await expect(backUpStopped(dataDir, file)).rejects.toThrow("is in use by another process");
    await engine.close();
    const db = new DatabaseSync(databasePath(dataDir));
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    await backUpStopped(dataDir, file);
    const copy = new DatabaseSync(file, { readOnly: true });
    onTestFinished(() => copy.close());
    expect(copy.prepare("PRAGMA user_version").get()).toEqual({ user_version: SCHEMA_VERSION + 1 });
  });
});

async function makeBackup(): Promise<void> {
  const engine = await openEngine();
  await engine.createJob(newJob(), AT);
  await engine.backup(file);
  await engine.close();
}

const damage = (change: (db: DatabaseSync) => void) => () => {
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  change(db);
  db.close();
};

describe("[J19] a restore", () => {
  test("tells what came back", async () => {
    await makeBackup();
    expect(await restoreBackup(join(dir, "new"), file)).toEqual({ jobs: 1, newest: AT });
    expect(readdirSync(join(dir, "new"))).toEqual(["jobwire.db"]);
  });

  test("never replaces data", async () => {
    await makeBackup();
    const before = statSync(databasePath(dataDir)).mtimeMs;
    await expect(restoreBackup(dataDir, file)).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining("holds data already") as string,
    });
    expect(statSync(databasePath(dataDir)).mtimeMs).toBe(before);
    const withJournal = join(dir, "journal");
    mkdirSync(withJournal);
    writeFileSync(`${databasePath(withJournal)}-wal`, "changes of a file that was moved away");
    await expect(restoreBackup(withJournal, file)).rejects.toThrow("holds data already");
  });

  test.each<[what: string, harm: () => void, message: string]>([
    ["no file", () => rmSync(file), "cannot be read (ENOENT"],
    ["a text", () => writeFileSync(file, "text".repeat(1000)), "is damaged, or is no backup"],
    ["nothing", () => writeFileSync(file, ""), "is no backup of Jobwire"],
    ["half of it", () => writeFileSync(file, halfOf(file)), "is damaged"],
    [
      "another program's",
      damage((db) => db.exec("PRAGMA application_id = 7")),
      "is no backup of Jobwire",
    ],
    [
      "a newer version's",
      damage((db) => db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)),
      "was written by a newer version of Jobwire",
    ],
    [
      "one with rows that are missing",
      damage((db) => db.exec("DELETE FROM owners")),
      "is damaged: rows are missing",
    ],
    [
      "a copy of a database in use",
      () => writeFileSync(`${file}-wal`, "changes"),
      "is a database in use, or was when its process died",
    ],
  ])("refuses %s", async (_what, harm, message) => {
    await makeBackup();
    harm();
    const other = join(dir, "other");
    await expect(restoreBackup(other, file)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      message: expect.stringContaining(message) as string,
    });
    expect(existsSync(other)).toBe(false);
  });

  test("finds a single page that was overwritten", async () => {
    const engine = await openEngine();
    await fill(engine, 20);
    await engine.backup(file);
    copyFileSync(file, join(dir, "whole.db"));
    const bytes = Buffer.from(halfOf(file, 1));
    bytes.fill(0xee, 8192, 12_288);
    writeFileSync(file, bytes);
    await expect(restoreBackup(join(dir, "other"), file)).rejects.toThrow("Nothing was restored");
    await restoreBackup(join(dir, "other"), join(dir, "whole.db"));
  });
});

function halfOf(path: string, parts = 2): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(0, bytes.length / parts);
}
