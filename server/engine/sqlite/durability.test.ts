import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at, logOf } from "#test/engine/builders.ts";
import { emptyCounts } from "#shared/batch.ts";
import { type Child, spawnChild } from "#test/engine/sqlite-child.ts";
import { openSqliteEngine } from "./open.ts";

let dataDir: string;
let child: Child | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-durability-"));
});

afterEach(async () => {
  await child?.kill();
  rmSync(dataDir, { recursive: true });
});

/** Works on batches without end, and prints what the engine acknowledged: a job and its newest `seq`. */
const WRITER = `
  const { at, newBatch, START, STEP, DELIVER, FAIL, BLOCK, release } = suites;
  const engine = await openSqliteEngine({ dataDir });
  const tell = (jobId, seq) => console.log(JSON.stringify({ jobId, seq }));
  async function work(jobId, end) {
    for (const change of [START, STEP, STEP, STEP, end]) {
      const { event } = await engine.change(jobId, change, at(1));
      tell(jobId, event.seq);
    }
  }
  for (;;) {
    const { batch, jobs } = newBatch(10);
    await engine.createBatch(batch, jobs, at(0));
    for (const { id } of jobs) tell(id, 1);
    const ends = [DELIVER, FAIL, BLOCK, { action: "cancel" }, release()];
    await Promise.all(jobs.map(({ id }, index) => work(id, ends[index % ends.length])));
  }`;

async function acknowledgedUntilKilled(lines: number): Promise<Map<string, number>> {
  const acknowledged = new Map<string, number>();
  child = spawnChild(dataDir, WRITER);
  for (let count = 0; ; count += 1) {
    if (count === lines) await child.kill();
    const line = await child.line();
    if (line === undefined) return acknowledged;
    // The kill may cut the last line.
    if (!line.endsWith("}")) continue;
    const { jobId, seq } = JSON.parse(line) as { jobId: string; seq: number };
    acknowledged.set(jobId, Math.max(seq, acknowledged.get(jobId) ?? 0));
  }
}

test("[S6] [J3] acknowledged writes survive kill -9 at any moment", async () => {
  for (const lines of [1, 17, 120, 333, 1200]) {
    const acknowledged = await acknowledgedUntilKilled(lines);
    expect(acknowledged.size).toBeGreaterThan(0);
    const engine = await openSqliteEngine({ dataDir });
    for (const [jobId, seq] of acknowledged) {
      expect((await engine.readEvents(jobId, 0, 1))?.newest.seq).toBeGreaterThanOrEqual(seq);
    }
    const owner = { tenant: "acme", owner: "ann" };
    const { items: jobs } = await engine.listJobs({ ...owner, limit: 100_000 });
    for (const job of jobs) {
      const log = await logOf(engine, job.id);
      expect(log.map((event) => event.seq)).toEqual(log.map((_, index) => index + 1));
      expect(log.at(-1)).toMatchObject({ seq: job.version, status: job.status });
    }
    const { items: batches } = await engine.listBatches({ ...owner, limit: 100_000 });
    for (const batch of batches) {
      const counts = emptyCounts();
      for (const job of jobs) if (job.batchId === batch.id) counts[job.status] += 1;
      expect(batch.counts).toEqual(counts);
    }
    expect(batches.length * 10).toBe(jobs.length);
    const { changes, head } = await engine.readFeed(owner, 0, 100_000);
    expect(changes).toHaveLength(jobs.length);
    expect(changes.at(-1)?.rev).toBe(head);
    const unsettled = jobs.filter(({ finishedAt }) => finishedAt === null);
    const request = { worker: "w", max: 100_000, leaseMs: 1, now: at(10) };
    expect(await engine.claim(request)).toHaveLength(unsettled.length);
    await engine.close();
  }
});
