import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { ANN, at, BOB, newId, newJob, START } from "#test/engine/builders.ts";
import { databasePath } from "./database.ts";
import { openSqliteEngine } from "./open.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";

const STRANGER = { tenant: "other", owner: "ann" };

/** A file as a program of an earlier version wrote it. */
function oldFile(version: number) {
  const dataDir = mkdtempSync(join(tmpdir(), "jobwire-schema-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const db = new DatabaseSync(databasePath(dataDir));
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA journal_mode = WAL`);
  for (const migration of MIGRATIONS.slice(0, version)) db.exec(migration);
  db.exec(`PRAGMA user_version = ${version}`);
  return {
    dataDir,
    run: (sql: string, ...values: (string | number | null)[]) =>
      Number(db.prepare(sql).run(...values).lastInsertRowid),
    open() {
      db.close();
      return openSqliteEngine({ dataDir });
    },
  };
}

/** Version 1 to 4: `revs` are the positions of jobs in the feed of their owner, whose newest one is `rev`. */
function addOwner(
  file: ReturnType<typeof oldFile>,
  { tenant, owner }: { tenant: string; owner: string },
  { revs, rev }: { revs: number[]; rev: number },
): string[] {
  const ownerN = file.run(
    "INSERT INTO owners (tenant, owner, rev) VALUES (?, ?, ?)",
    tenant,
    owner,
    rev,
  );
  const batchN = file.run(
    `INSERT INTO batches (id, owner_n, pending, processing, delivered, blocked, aborted, version, created_at, updated_at)
     VALUES (?, ?, ?, 0, 0, 0, 0, 1, 0, 0)`,
    newId(),
    ownerN,
    revs.length,
  );
  return revs.map((each) => {
    const id = newId();
    const n = file.run(
      `INSERT INTO jobs (id, owner_n, batch_n, kind, title, status, progress, message, attempt, retries, created_at, version, rev, due)
       VALUES (?, ?, ?, 'article', 'Old', 'PENDING', 0, 'Waiting', 0, 0, 0, 1, ?, 0)`,
      id,
      ownerN,
      batchN,
      each,
    );
    file.run("INSERT INTO payloads (job_n, input, output) VALUES (?, 'null', 'null')", n);
    file.run(
      "INSERT INTO events (job_n, seq, at, attempt, type, progress, message) VALUES (?, 1, 0, 0, 'created', 0, 'Waiting')",
      n,
    );
    return id;
  });
}

describe.each(Array.from({ length: SCHEMA_VERSION - 1 }, (_, index) => index + 1))(
  "a file of version %i",
  (version) => {
    test("opens with everything that the newest version has", async () => {
      const engine = await oldFile(version).open();
      onTestFinished(() => engine.close());
      const session = { ...ANN, id: "s" };
      const change = { whole: true, entries: new Map([["job:1", 4]]) };
      await engine.takeSession(session, "one");
      expect(await engine.saveSession(session, "one", change)).toBe("saved");
      expect((await engine.apiKeys.list({ limit: 9 })).items).toEqual([]);
      expect(await engine.getSignIn("none", new Date())).toBeUndefined();
      const { id } = await engine.createJob(newJob(), at(0));
      await engine.change(id, START, at(0));
      const report = { action: "progress", progress: 1, message: "One", details: [1] } as const;
      await engine.change(id, report, at(0));
      expect((await engine.readEvents(id, 2, 9))?.events).toMatchObject([{ details: [1] }]);
      expect((await engine.readFeed({ tenant: ANN.tenant }, 0, 9)).changes).toHaveLength(1);
    });
  },
);

describe.each([1, 2, 3, 4])("the jobs of a file of version %i", (version) => {
  test("stay in the feed of their owner in the same order, and appear in that of their tenant", async () => {
    const file = oldFile(version);
    const anns = addOwner(file, ANN, { revs: [2, 3, 7], rev: 7 });
    // The newest rev of the owners of the tenant that had no jobs any more.
    file.run("INSERT INTO owners (tenant, owner, rev) VALUES (?, '', 40)", ANN.tenant);
    const bobs = addOwner(file, BOB, { revs: [1, 2], rev: 9 });
    const strangers = addOwner(file, STRANGER, { revs: [5], rev: 5 });
    const engine = await file.open();
    onTestFinished(() => engine.close());

    const idsOf = async (of: { tenant: string; owner?: string }, after = 0) =>
      (await engine.readFeed(of, after, 99)).changes.map(({ job }) => job.id);
    expect(await idsOf(ANN)).toEqual(anns);
    expect(await idsOf(BOB)).toEqual(bobs);
    expect(await idsOf(STRANGER)).toEqual(strangers);
    expect((await idsOf({ tenant: ANN.tenant })).toSorted()).toEqual([...anns, ...bobs].toSorted());
    // A cursor from before never passes a change.
    expect(await idsOf(ANN, 3)).toEqual(anns.slice(2));
    expect(await idsOf(BOB, 1)).toEqual(expect.arrayContaining(bobs.slice(1)) as string[]);

    const [first = ""] = bobs;
    const { head } = await engine.readFeed({ tenant: BOB.tenant }, 0, 99);
    // Also that of an owner who left.
    expect(head).toBeGreaterThanOrEqual(40);
    await engine.change(first, START, at(1));
    expect(await idsOf({ tenant: BOB.tenant }, head)).toEqual([first]);
    const listed = await engine.listJobs({ tenant: BOB.tenant, status: "PENDING", limit: 9 });
    expect(listed.items.map(({ id }) => id).toSorted()).toEqual(
      [...anns, ...bobs.slice(1)].toSorted(),
    );
    const batches = await engine.listBatches({ tenant: BOB.tenant, limit: 9 });
    expect(batches.items).toHaveLength(2);
    // Each has two payloads of `null`.
    expect(await engine.usage(BOB.tenant)).toEqual({ waitingJobs: 5, bytes: 5 * 8 });
    expect(await engine.usage(STRANGER.tenant)).toEqual({ waitingJobs: 1, bytes: 8 });
  });
});

test("[K11] jobs that schedules created before jobs named them are in the lists of these", async () => {
  const file = oldFile(SCHEMA_VERSION - 1);
  const scheduleId = newId();
  const [owner, tenant] = ["owners (tenant, owner, rev)", "tenants (tenant, rev)"];
  const ownerN = file.run(`INSERT INTO ${owner} VALUES ('acme', 'ann', 2)`);
  const tenantN = file.run(`INSERT INTO ${tenant} VALUES ('acme', 2)`);
  file.run(
    `INSERT INTO schedules (id, tenant, owner, key, kind, version, record, input)
     VALUES (?, 'acme', 'ann', 'k', 'article', 1, '{}', '{}')`,
    scheduleId,
  );
  const ids = [newId(), newId()];
  for (const [index, id] of ids.entries()) {
    const n = file.run(
      `INSERT INTO jobs (id, owner_n, tenant_n, kind, title, status, progress, message, attempt, retries, created_at, version, rev)
       VALUES (?, ?, ?, 'article', 'Old', 'ABORTED', 0, '', 0, 0, 0, 1, ?)`,
      id,
      ownerN,
      tenantN,
      index + 1,
    );
    file.run("INSERT INTO payloads (job_n, input, output) VALUES (?, 'null', 'null')", n);
    file.run(
      `INSERT INTO events (job_n, seq, at, attempt, type, progress, message, actor)
       VALUES (?, 1, 0, 0, 'created', 0, '', ?)`,
      n,
      // Damaged data keep no file from opening.
      index === 0 ? JSON.stringify({ user: "ann", via: "schedule", scheduleId }) : "{",
    );
  }
  const engine = await file.open();
  onTestFinished(() => engine.close());
  const { items } = await engine.listJobs({ ...ANN, scheduleId, limit: 9 });
  expect(items).toMatchObject([{ id: ids[0], scheduleId }]);
  expect(await engine.getSummary(ids[1] ?? "")).toMatchObject({ scheduleId: null });
});
