/**
 * The minimum that any program pays for durable events in SQLite: one prepared insert, in transactions of a given size,
 * in WAL mode with every commit flushed. Once with the columns and indexes of our own log, once with two columns.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { answerCalls } from "#bench/program.ts";

export interface Inserting {
  table: "log" | "plain";
  batches: number;
  perBatch: number;
}

export interface BareInserts {
  /** Resolves to milliseconds. */
  insert(inserting: Inserting): Promise<number>;
}

const dir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
const db = new DatabaseSync(join(dir, "bare.db"));
db.exec(`
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE jobs (n INTEGER PRIMARY KEY) STRICT;
  INSERT INTO jobs VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
  CREATE TABLE log (
    n INTEGER PRIMARY KEY,
    job_n INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    type TEXT NOT NULL,
    progress INTEGER NOT NULL,
    message TEXT NOT NULL,
    UNIQUE (job_n, seq)
  ) STRICT;
  CREATE TABLE plain (n INTEGER PRIMARY KEY, message TEXT NOT NULL) STRICT;
`);
const insertLog = db.prepare(
  "INSERT INTO log (job_n, seq, at, attempt, type, progress, message) VALUES (?, ?, ?, 1, 'progress', 50, ?)",
);
const insertPlain = db.prepare("INSERT INTO plain (message) VALUES (?)");
const begin = db.prepare("BEGIN IMMEDIATE");
const commit = db.prepare("COMMIT");
const message = "Step of a job, of which this is the message ".padEnd(60, "-");
/** As many jobs as the other contender uses. */
const JOBS = 10;
let seq = 0;

const run: Record<Inserting["table"], () => ReturnType<StatementSync["run"]>> = {
  log: () => insertLog.run((seq += 1) % JOBS, seq, Date.now(), message),
  plain: () => insertPlain.run(message),
};

const program: BareInserts = {
  async insert({ table, batches, perBatch }) {
    const began = performance.now();
    for (let batch = 0; batch < batches; batch += 1) {
      begin.run();
      for (let i = 0; i < perBatch; i += 1) run[table]();
      commit.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return performance.now() - began;
  },
};
answerCalls(program, async () => {
  db.close();
  await rm(dir, { recursive: true, force: true });
});
