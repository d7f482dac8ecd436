import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, codeOf, newJob } from "#test/engine/builders.ts";
import { type Child, spawnChild } from "#test/engine/sqlite-child.ts";
import { openSqliteEngine } from "./open.ts";
import { SCHEMA_VERSION } from "./schema.ts";

let dataDir: string;
let path: string;
const children: Child[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-database-"));
  path = join(dataDir, "jobwire.db");
});

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  chmodSync(dataDir, 0o700);
  rmSync(dataDir, { recursive: true });
});

function run(program: string): Child {
  const child = spawnChild(dataDir, program);
  children.push(child);
  return child;
}

const HOLD = `await openSqliteEngine({ dataDir }); console.log("open"); process.stdin.resume();`;
const TRY = `
  try { await (await openSqliteEngine({ dataDir })).close(); console.log("opened"); }
  catch (error) { console.log(error.code + " " + error.message); }`;

/** A file with one job in it, closed. */
async function madeFile(): Promise<void> {
  const engine = await openSqliteEngine({ dataDir });
  await engine.createJob(newJob({ title: "x".repeat(20_000) }), at(0));
  await engine.close();
}

async function refusal(): Promise<string> {
  const before = readFileSync(path);
  let message = "";
  await expect(
    openSqliteEngine({ dataDir }).catch((error: Error) => {
      message = error.message;
      throw error;
    }),
  ).rejects.toMatchObject({ code: "DATA_UNUSABLE" });
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(message).toContain(path);
  expect(message).toContain("DATA_DIR");
  return message;
}

describe("[J11] one process holds the data", () => {
  test("another process is refused while it runs, and gets in after kill -9", async () => {
    const holder = run(HOLD);
    expect(await holder.line()).toBe("open");
    expect(await refusal()).toContain("in use by another process");
    await holder.kill();
    await (await openSqliteEngine({ dataDir })).close();
  });

  test("a second open of the same process is refused, and does not give the lock away", async () => {
    const engine = await openSqliteEngine({ dataDir });
    expect(await codeOf(openSqliteEngine({ dataDir }))).toBe("DATA_UNUSABLE");
    expect(await run(TRY).line()).toContain("DATA_UNUSABLE");
    await engine.close();
    expect(await run(TRY).line()).toBe("opened");
  });
});

describe("[J12] data that cannot be used is refused and left as it is", () => {
  test("a file of garbage", async () => {
    writeFileSync(path, Buffer.alloc(10_000, "not a database "));
    expect(await refusal()).toContain("damaged");
  });

  test("a few bytes", async () => {
    writeFileSync(path, "SQLite format 3\0");
    expect(await refusal()).toContain("damaged");
  });

  test("our own file, cut off", async () => {
    await madeFile();
    for (const size of [60_000, 9000, 4096, 600]) {
      truncateSync(path, size);
      expect(await refusal()).toContain("damaged");
    }
  });

  test("our own file, its tables overwritten", async () => {
    await madeFile();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xa5, 100, 4096));
    expect(await refusal()).toContain("damaged");
  });

  test("another program's database", async () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('keep me')");
    other.close();
    expect(await refusal()).toContain("another program");
    const again = new DatabaseSync(path);
    again.exec("PRAGMA application_id = 7; PRAGMA journal_mode = WAL");
    again.close();
    expect(await refusal()).toContain("another program");
    expect(readdirSync(dataDir)).toEqual(["jobwire.db"]);
  });

  test("data of a newer version", async () => {
    await madeFile();
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    expect(await refusal()).toContain("newer version");
    const back = new DatabaseSync(path);
    back.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    back.close();
    await (await openSqliteEngine({ dataDir })).close();
  });

  test("a directory where the file should be", async () => {
    mkdirSync(path);
    await expect(openSqliteEngine({ dataDir })).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining(path) as string,
    });
  });
});

describe("the data directory", () => {
  test("is made with its parents, and an empty file in it is a new database", async () => {
    const deep = join(dataDir, "a", "b");
    await (await openSqliteEngine({ dataDir: deep })).close();
    expect(readdirSync(deep)).toEqual(["jobwire.db"]);
    writeFileSync(path, "");
    await (await openSqliteEngine({ dataDir })).close();
  });

  test("may be one that others read: the files in it are their user's alone", async () => {
    chmodSync(dataDir, 0o755);
    const engine = await openSqliteEngine({ dataDir });
    await engine.createJob(newJob({}), at(0));
    const files = readdirSync(dataDir);
    expect(files).toContain("jobwire.db-wal");
    const modes = files.map((file) => [file, statSync(join(dataDir, file)).mode & 0o777]);
    expect(modes).toEqual(files.map((file) => [file, 0o600]));
    await engine.close();
  });

  test("cannot be a file, nor lie in one", async () => {
    const file = join(dataDir, "file");
    writeFileSync(file, "text");
    for (const bad of [file, join(file, "data")]) {
      await expect(openSqliteEngine({ dataDir: bad })).rejects.toMatchObject({
        code: "DATA_UNUSABLE",
        message: expect.stringContaining(bad) as string,
      });
    }
    expect(readFileSync(file, "utf8")).toBe("text");
  });

  test("must be writable", async () => {
    chmodSync(dataDir, 0o555);
    // Root may write everywhere, so the process changes its user once its program is loaded.
    const drop = process.getuid?.() === 0 ? "process.setgid(65534); process.setuid(65534);" : "";
    const line = await run(`${drop} ${TRY}`).line();
    expect(line).toContain("DATA_UNUSABLE");
    expect(line).toContain(path);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("a file that was being made when its process died is made anew", async () => {
    const engine = await openSqliteEngine({ dataDir });
    await engine.close();
    const whole = readFileSync(path);
    // SQLite leaves half-written pages, and the journal that restores them.
    rmSync(path);
    const db = new DatabaseSync(path);
    db.exec("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN EXCLUSIVE");
    db.exec("CREATE TABLE half (text TEXT)");
    for (let row = 0; row < 100; row += 1) {
      db.exec(`INSERT INTO half VALUES ('${"x".repeat(4000)}')`);
    }
    const [half, journal] = [readFileSync(path), readFileSync(`${path}-journal`)];
    db.close();
    writeFileSync(path, half);
    writeFileSync(`${path}-journal`, journal);
    await (await openSqliteEngine({ dataDir })).close();
    expect(readFileSync(path).length).toBe(whole.length);
  });
});
