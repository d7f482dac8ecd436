/** Each finding about a data directory, on real files. */
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Finding } from "#shared/finding.ts";
import { ANN, newJob } from "#test/engine/builders.ts";
import { diskKind, freeSpace } from "./examine-disk.ts";
import { examineDatabase } from "./examine-database.ts";
import { examineDataDirectory } from "./examine.ts";
import { openSqliteEngine } from "./open.ts";
import { SCHEMA_VERSION } from "./schema.ts";

let dataDir: string;
let file: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-doctor-"));
  file = join(dataDir, "jobwire.db");
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function store(jobs = 3): Promise<void> {
  const engine = await openSqliteEngine({ dataDir });
  const input = "x".repeat(20_000);
  for (let n = 0; n < jobs; n += 1) await engine.createJob(newJob({ ...ANN, input }), new Date());
  await engine.close();
}

async function examine(isServed = false): Promise<Record<string, Finding>> {
  const findings = await examineDataDirectory(dataDir, { isServed });
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

const verdicts = (findings: Record<string, Finding>) =>
  Object.fromEntries(Object.entries(findings).map(([name, { verdict }]) => [name, verdict]));

test("a sound data directory has nothing to complain about, and is not changed", async () => {
  await store();
  const before = statSync(file).size;
  const { "disk kind": _kind, "disk space": _space, ...found } = await examine();
  expect(verdicts(found)).toEqual({
    "data directory": "ok",
    "database version": "ok",
    "database integrity": "ok",
  });
  expect(statSync(file).size).toBe(before);
});

test("a directory that is not there yet is fine, unless it cannot be made", async () => {
  const parent = dataDir;
  dataDir = join(parent, "a", "b");
  const found = await examine();
  expect(found["data directory"]).toMatchObject({ verdict: "ok" });
  // The disk that it will be on.
  expect(found["disk space"]?.found).toContain("free");
  writeFileSync(join(parent, "a"), "");
  expect((await examine())["data directory"]).toMatchObject({ verdict: "fail" });
  dataDir = join(parent, "a");
  expect((await examine())["data directory"]).toMatchObject({
    verdict: "fail",
    found: `${dataDir} is not a directory`,
  });
  dataDir = parent;
});

test("a directory and files that other users may read are told, with the command that helps", async () => {
  await store(1);
  chmodSync(dataDir, 0o755);
  chmodSync(file, 0o644);
  const found = await examine();
  expect(found["data directory"]).toMatchObject({
    verdict: "warn",
    found: expect.stringContaining("mode 0755") as string,
    remedy: `chmod 700 ${dataDir}`,
  });
  expect(found["data files"]).toMatchObject({ verdict: "warn", remedy: `chmod 600 ${file}*` });
});

test.runIf(process.getuid?.() === 0)("a directory of another user is told", async () => {
  chownSync(dataDir, 12_345, 12_345);
  expect((await examine())["data directory"]).toMatchObject({
    verdict: "warn",
    found: `${dataDir} belongs to user 12345, and this command runs as user 0`,
  });
});

test("a database that cannot be looked at is not taken for one that is not there", async () => {
  // A link that leads to itself.
  symlinkSync("jobwire.db", file);
  expect((await examine()).database).toMatchObject({
    verdict: "skip",
    found: expect.stringContaining("ELOOP") as string,
  });
});

test("what an interrupted backup left is named", async () => {
  writeFileSync(join(dataDir, "monday.db.partial"), "");
  writeFileSync(join(dataDir, "restoring-12.db"), "");
  writeFileSync(join(dataDir, "monday.db"), "");
  const { found = "", verdict } = (await examine())["data leftovers"] ?? {};
  expect(verdict).toBe("warn");
  expect(found).toContain("monday.db.partial");
  expect(found).toContain("restoring-12.db");
  expect(found).not.toMatch(/monday\.db(?!\.partial)/);
});

test("a database that another process holds is not read, and one that a server answers for is fine", async () => {
  const engine = await openSqliteEngine({ dataDir });
  expect((await examine()).database).toMatchObject({
    verdict: "fail",
    found: expect.stringContaining("is in use by another process") as string,
  });
  expect((await examine(true)).database).toMatchObject({ verdict: "ok" });
  await engine.close();
});

test("data of a newer version fail, and older ones are upgraded by the next start", async () => {
  await store(1);
  for (const [version, verdict] of [
    [SCHEMA_VERSION + 1, "fail"],
    [SCHEMA_VERSION - 1, "warn"],
  ] as const) {
    const db = new DatabaseSync(file);
    db.exec(`PRAGMA user_version = ${version}`);
    db.close();
    expect((await examine())["database version"]).toMatchObject({ verdict });
    const after = new DatabaseSync(file);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: version });
    after.close();
  }
});

test("an empty file is told, since the next start makes a database without data of it", async () => {
  writeFileSync(file, "", { mode: 0o600 });
  expect((await examine())["database version"]).toMatchObject({
    verdict: "warn",
    found: `${file} is empty; the next start begins without data`,
  });
});

test("a damaged page is found, and so is a file of another program", async () => {
  await store(20);
  const handle = await open(file, "r+");
  const { size } = await handle.stat();
  // All but the first pages, which hold the schema.
  await handle.write(Buffer.alloc(size - 40 * 4096, 0xa5), 0, size - 40 * 4096, 40 * 4096);
  await handle.close();
  const damaged = await examine();
  const { verdict, found } = damaged["database integrity"] ?? damaged.database ?? {};
  expect({ verdict, found }).toEqual({
    verdict: "fail",
    found: expect.stringContaining("damaged") as string,
  });

  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec("CREATE TABLE theirs (x)");
  other.close();
  expect((await examine()).database).toMatchObject({
    verdict: "fail",
    found: expect.stringContaining("is a database of another program") as string,
  });
});

test("a large database is read for a bounded time, and the finding says how far", async () => {
  await store(1);
  const [, integrity] = await examineDatabase(dataDir, file, -1);
  expect(integrity?.found).toMatch(/^0 of \d+ tables are whole; the time was up then$/);
});

test.runIf(process.platform === "linux").each([
  [0x6969, "NFS"],
  [0xff534d42 | 0, "CIFS"],
  [0x01021994, "in memory"],
  [0x794c7630, "container"],
])("a file system of the kind %i is told: %s", (type, word) => {
  const { verdict, found } = diskKind("/data", type);
  expect({ verdict, found }).toEqual({
    verdict: "warn",
    found: expect.stringContaining(word) as string,
  });
});

test("the room on the disk is compared with what a backup takes", () => {
  const GIB = 2 ** 30;
  expect(freeSpace(2 * GIB, GIB).verdict).toBe("ok");
  expect(freeSpace(2 * GIB, 3 * GIB).verdict).toBe("warn");
  expect(freeSpace(GIB / 2, 0).verdict).toBe("warn");
  expect(freeSpace(10 * 2 ** 20, 0).verdict).toBe("fail");
});
